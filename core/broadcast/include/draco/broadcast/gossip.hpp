#pragma once
// interfaces::Broadcast over interfaces::Links: the driver of Core.
//
// Threads: thread-safe. One object of lib/affair owns the core; subscribers are called in its
// turns. A subscriber may publish inside its call, and may not call set_subscriber there.

#include "draco/affair/registry.hpp"
#include "draco/broadcast/core.hpp"
#include "draco/interfaces/broadcast.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"

#include <memory>

namespace draco::broadcast {

struct Options {
    Limits limits = {};
    std::uint64_t seed = 0;  // from the node's Rng: peers must not know whom a payload is pushed to
    std::size_t queue_max = 1024;  // messages that wait; more are dropped
};

class Gossip final : public interfaces::Broadcast {
public:
    // What is passed by reference outlives the Gossip. Errors: those of Registry::spawn.
    static Result<std::unique_ptr<Gossip>> make(interfaces::Links& links,
                                                affair::Registry& registry,
                                                log::Log& log,
                                                const Options& options);
    ~Gossip() override;
    Gossip(const Gossip&) = delete;
    Gossip& operator=(const Gossip&) = delete;

    // Exhausted when the queue is full.
    Result<> publish(interfaces::Topic topic, Bytes payload) override;
    void set_subscriber(interfaces::Topic topic, interfaces::GossipSubscriber* subscriber) override;

    Counts counts() const;

    class State;

private:
    explicit Gossip(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::broadcast
