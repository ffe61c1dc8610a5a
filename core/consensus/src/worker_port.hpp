#pragma once
// The node's end of the links to its worker processes, and what other members say of theirs.
// Decodes what workers say on the thread that brings it into an object of each worker's own.

#include "draco/affair/registry.hpp"
#include "draco/consensus/worker_message.hpp"
#include "draco/interfaces/links.hpp"

#include <functional>
#include <mutex>
#include <set>
#include <utility>
#include <variant>
#include <vector>

namespace draco::consensus {

// To the conductor.
struct FromLane {
    std::size_t lane = 0;
    Epoch epoch;
    std::variant<CheckedBatch, WorkerReport, AllReported, TransactionsReturned> message;
};

// To the object that decodes.
struct LaneBytes {
    Bytes message;
};

class WorkerPort;

class LaneInbox {
public:
    using Messages = affair::Messages<LaneBytes>;

    LaneInbox(WorkerPort& port,
              std::size_t lane,
              types::ChainId chain,
              affair::Address<FromLane> conductor)
        : port_(port), lane_(lane), chain_(chain), conductor_(std::move(conductor)) {}

    void handle(LaneBytes bytes);

private:
    WorkerPort& port_;
    std::size_t lane_;
    types::ChainId chain_;
    affair::Address<FromLane> conductor_;
};

class WorkerPort final : public interfaces::MessageReceiver {
public:
    struct News {
        std::vector<std::pair<std::size_t, bool>> lanes;  // that came up or went down, in order
        std::set<std::size_t> lost;  // something that was to be said on them, or was said
        std::vector<std::pair<types::NodeKey, OwnWorkers>> workers_of;
        std::vector<types::NodeKey> peers_up;
    };

    // `workers` are the own ones, by lane.
    WorkerPort(interfaces::Links& links, std::vector<interfaces::PeerAddress> workers);

    // `poke` wakes the conductor; any thread may run it.
    void set_poke(std::function<void()> poke) { poke_ = std::move(poke); }

    void set_inboxes(std::vector<affair::Address<LaneBytes>> inboxes);

    std::size_t lanes() const { return workers_.size(); }

    const std::vector<interfaces::PeerAddress>& workers() const { return workers_; }

    void on_message(const types::NodeKey& from, ByteView message) override;
    void on_link_up(const types::NodeKey& peer) override;
    void on_link_down(const types::NodeKey& peer) override;

    News take_news();

    // What cannot be sent is lost, and the conductor starts the lane over.
    void tell(std::size_t lane, ByteView message);
    // The same, of what the worker said.
    void lost(std::size_t lane);

private:
    std::optional<std::size_t> lane_of(const types::NodeKey& key) const;

    interfaces::Links& links_;
    const std::vector<interfaces::PeerAddress> workers_;
    std::function<void()> poke_;  // set once, before anything is received

    std::mutex mutex_;
    News news_;
    std::vector<affair::Address<LaneBytes>> inboxes_;
};

}  // namespace draco::consensus
