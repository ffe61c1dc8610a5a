#pragma once
// What other threads bring to a worker's conductor: batches of peers, the node's words,
// transactions. Everything is bounded; everything under one mutex that nobody holds for long.

#include "draco/consensus/worker_driver.hpp"
#include "draco/consensus/worker_message.hpp"

#include "inbox.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace draco::consensus {

inline constexpr std::string_view kNodeHasNotSpoken =
    "the node has not said which epoch it is: is this worker in its [consensus] workers?";

// A worker of another member.
struct PeerPort {
    types::NodeKey member;
    affair::Address<Incoming> inbox;
    std::shared_ptr<PeerCredit> credit;
};

class WorkerIntake final : public interfaces::MessageReceiver {
public:
    struct News {
        std::vector<Bytes> from_node;  // ToWorkerProcess, in order
        std::vector<types::TransactionBytes> submitted;
        bool node_down = false;  // since the last news
    };

    // `poke` wakes the conductor; any thread may run it, without the mutex.
    WorkerIntake(const WorkerOptions& options, std::size_t own_bytes_max);
    void set_poke(std::move_only_function<bool()> poke);

    // --- from outside ---
    void on_message(const types::NodeKey& from, ByteView message) override;
    void on_link_up(const types::NodeKey& peer) override;
    void on_link_down(const types::NodeKey& peer) override;

    Result<> submit(types::TransactionBytes transaction);
    interfaces::ConsensusStatus status() const;

    std::atomic<std::uint64_t>& refused() { return refused_; }

    // --- by the conductor ---
    News take_news();
    void set_routes(std::vector<std::shared_ptr<const Route>> routes);
    // By the key of the worker.
    void set_ports(std::map<types::NodeKey, PeerPort> ports);
    // Also ends the reservation of what take_news() has given out.
    void publish(interfaces::ConsensusStatus status, std::size_t own_bytes);
    // For good.
    void close(std::string reason);

private:
    using Lock = std::unique_lock<std::mutex>;

    void tell(Lock lock);

    const WorkerOptions& options_;
    const std::size_t own_bytes_max_;
    std::move_only_function<bool()> poke_;  // set once, before anything is received

    mutable std::mutex mutex_;
    News news_;
    bool poked_ = false;
    bool closed_ = false;
    std::vector<std::shared_ptr<const Route>> routes_;
    std::map<types::NodeKey, PeerPort> ports_;
    std::size_t own_bytes_ = 0;        // in the core
    std::size_t submitted_bytes_ = 0;  // on the way to it
    std::size_t taken_bytes_ = 0;      // of those, what take_news() has given out
    interfaces::ConsensusStatus status_;
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace draco::consensus
