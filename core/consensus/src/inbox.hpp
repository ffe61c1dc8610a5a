#pragma once
// One peer's messages on their way to the core: decoded and verified in the order in which they
// came, beside the messages of other peers.

#include "draco/affair/registry.hpp"
#include "draco/consensus/verify.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace draco::consensus {

// An epoch whose messages are wanted.
struct Route {
    types::Committee committee;
    types::ChainId chain;
    SignatureCheck signatures;
    std::shared_ptr<const std::atomic<std::uint64_t>> votes_awaited_from;  // Core's
};

// What one peer may have under way.
struct PeerCredit {
    std::atomic<std::size_t> messages{0};
    std::atomic<std::size_t> bytes{0};
};

// A message's share of its peer's credit, given back at the end.
class CreditShare {
public:
    // Empty if the peer has none left.
    static CreditShare take(std::shared_ptr<PeerCredit> credit,
                            std::size_t bytes,
                            std::size_t messages_max,
                            std::size_t bytes_max);

    CreditShare() = default;
    CreditShare(CreditShare&&) noexcept = default;

    CreditShare& operator=(CreditShare&& other) noexcept {
        std::swap(credit_, other.credit_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

    CreditShare(const CreditShare&) = delete;
    CreditShare& operator=(const CreditShare&) = delete;
    ~CreditShare();

    explicit operator bool() const { return credit_ != nullptr; }

private:
    std::shared_ptr<PeerCredit> credit_;
    std::size_t bytes_ = 0;
};

// To an inbox.
struct Incoming {
    std::shared_ptr<const Route> route;
    AuthorityIndex from;
    Bytes message;
    CreditShare credit;
};

// To the conductor.
struct Verified {
    types::Epoch epoch;
    AuthorityIndex from;
    CheckedMessage message;
    CreditShare credit;
};

// Where a message belongs, without decoding it: each begins with its tag and its epoch. nullopt if
// it is too short for them.
std::optional<types::Epoch> epoch_of(ByteView message);

class Inbox {
public:
    using Messages = affair::Messages<Incoming>;

    // `refused` counts what nobody hears of, and outlives the inbox.
    Inbox(std::atomic<std::uint64_t>& refused, affair::Address<Verified> conductor)
        : refused_(refused), conductor_(std::move(conductor)) {}

    void handle(Incoming incoming);

private:
    void refuse() { refused_.fetch_add(1, std::memory_order_relaxed); }

    std::atomic<std::uint64_t>& refused_;
    affair::Address<Verified> conductor_;
};

}  // namespace draco::consensus
