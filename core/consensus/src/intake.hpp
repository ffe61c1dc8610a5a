#pragma once
// What other threads bring to the conductor and read of it: where messages go, blocks that were
// executed, links that came up, transactions, status. Everything is bounded; everything under one
// mutex that nobody holds for long.

#include "draco/consensus/driver.hpp"

#include "inbox.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace draco::consensus {

// Executed blocks that the conductor has not seen. They carry no transactions.
inline constexpr std::size_t kExecutedWaitingMax = std::size_t{1} << 16;
inline constexpr std::size_t kEarlyPeersMax = 256;
// About what a message that is held takes beside its bytes; counted with them.
inline constexpr std::size_t kEarlyOverheadBytes = 128;

// An executed block, as far as the conductor needs it.
struct ExecutedNews {
    types::Epoch epoch;
    types::ChainHead head;
    std::optional<types::Block> followed;  // if it came from a peer
    std::optional<types::Committee> next_committee;
};

struct EarlyMessage {
    types::NodeKey from;
    Bytes message;
};

// Of a peer with an inbox.
struct PeerDesk {
    affair::Address<Incoming> inbox;
    std::shared_ptr<PeerCredit> credit;
};

// Whether clients' transactions are taken here.
enum class Intakes : std::uint8_t {
    Yes,
    NoMember,    // not of the committee, or it does not sign
    ClockAhead,  // they would wait
};

class Intake final : public interfaces::MessageReceiver, public interfaces::LedgerObserver {
public:
    struct News {
        std::deque<ExecutedNews> executed;
        std::set<types::NodeKey> links_up;
        std::vector<types::TransactionBytes> submitted;
        bool overflow = false;  // executed blocks were lost
    };

    // `poke` wakes the conductor; any thread may run it, without the mutex.
    Intake(const DriverOptions& options, std::size_t own_bytes_max);
    void set_poke(std::move_only_function<bool()> poke);

    // --- from outside ---
    void on_message(const types::NodeKey& from, ByteView message) override;
    void on_link_up(const types::NodeKey& peer) override;
    void on_link_down(const types::NodeKey& peer) override;
    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override;

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

    Result<> submit(types::TransactionBytes transaction);
    interfaces::ConsensusStatus status() const;

    void count_refused() { refused_.fetch_add(1, std::memory_order_relaxed); }

    std::atomic<std::uint64_t>& refused() { return refused_; }

    // --- by the conductor ---
    News take_news();
    void poke();
    // The running epoch, and the epochs whose messages are wanted.
    void set_routes(types::Epoch running, std::vector<std::shared_ptr<const Route>> routes);
    void add_desk(const types::NodeKey& peer, PeerDesk desk);
    void remove_desk(const types::NodeKey& peer);
    // Those held back for the epoch to come, in the order of arrival. Then none are held.
    std::vector<EarlyMessage> take_early();
    // Also ends the reservation of what take_news() has given out.
    void publish(interfaces::ConsensusStatus status, Intakes intakes, std::size_t own_bytes);
    // For good.
    void close(std::string reason, bool fork);

private:
    using Lock = std::unique_lock<std::mutex>;

    void hold_early(const types::NodeKey& from, ByteView message);
    void drop_early_of(const types::NodeKey& peer);
    void tell(Lock lock);

    const DriverOptions options_;
    const std::size_t own_bytes_max_;
    std::move_only_function<bool()> poke_;  // set once, before anything is received

    mutable std::mutex mutex_;
    News news_;
    bool poked_ = false;
    types::Epoch running_;
    std::vector<std::shared_ptr<const Route>> routes_;
    std::map<types::NodeKey, PeerDesk> desks_;
    std::deque<EarlyMessage> early_;
    std::map<types::NodeKey, std::size_t> early_bytes_;
    std::size_t early_total_ = 0;
    Intakes intakes_ = Intakes::NoMember;
    bool closed_ = false;
    std::size_t own_bytes_ = 0;        // in the core
    std::size_t submitted_bytes_ = 0;  // on the way to it
    std::size_t taken_bytes_ = 0;      // of those, what take_news() has given out
    interfaces::ConsensusStatus status_;
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace draco::consensus
