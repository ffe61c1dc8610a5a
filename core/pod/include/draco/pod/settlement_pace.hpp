#pragma once
// When the next settlement may be sent. The chain takes a bounded number of them from each node in
// each epoch: they are spread over the epoch, and some are held back for its end, so that what was
// delivered in an epoch counts in it, and for lanes that are closing.
//
// Deterministic: chain time is that of the last block, plus what has passed here since it was seen.
// A value of one owner.

#include "draco/base/clock.hpp"
#include "draco/types/ids.hpp"

#include <cstdint>
#include <optional>

namespace draco::pod {

struct PaceOptions {
    Duration interval = std::chrono::seconds(5);  // between two settlements, at least. > 0
    // So long before the epoch's end all is settled; at most a quarter of the epoch. > 0
    Duration epoch_margin = std::chrono::seconds(10);
};

// What one state of the chain says of time and of this node's settlements.
struct ChainClock {
    UnixTime time{};  // of the head
    types::Epoch epoch{};
    UnixTime epoch_started{};
    std::uint64_t epoch_ms = 0;
    std::uint32_t settlements_max = 0;   // of a node in an epoch
    std::uint32_t settlements_used = 0;  // by this node in this epoch
};

enum class Urgency : std::uint8_t {
    Regular,
    More,     // more wait than the last settlement could take
    Closing,  // a payer takes the rest of its reserve back soon: at once, but who goes on
              // acknowledging on a lane that closes does not use up the epoch's settlements
};

class SettlementPace {
public:
    explicit SettlementPace(PaceOptions options) : options_(options) {}

    void saw(const ChainClock& clock, Instant now);
    // A settlement is sent, or there was nothing to settle.
    void began(Instant now, Urgency urgency);

    // The chain has executed it.
    void counted() { ++clock_.settlements_used; }

    // The time from which on one may be sent; nullopt: the chain has to move on first. O(1).
    // `ends`: when the first of the lanes that close does; before that there is one, whatever was
    // used up for others.
    std::optional<Instant> due(Urgency urgency, std::optional<UnixTime> ends = {}) const;

private:
    std::optional<Instant> due_regularly(Urgency urgency) const;
    std::uint32_t left() const;
    // In each epoch, held back from regular settlements, and from all but those that are Closing.
    std::uint32_t held_for_end() const;
    std::uint32_t held_for_closing() const;

    PaceOptions options_;
    ChainClock clock_{};
    Instant seen_at_{};     // clock_
    Instant end_begins_{};  // from here on, all is settled
    Instant last_{};
    std::optional<Instant> last_closing_{};
    bool seen_ = false;
};

}  // namespace draco::pod
