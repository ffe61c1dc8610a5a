#pragma once
// Clients with a transfer under way each: a client sends its transaction to some node, again to
// another one if it is not executed in time, and the next one when it is. So every transaction that
// was once sent must be executed in the end, exactly once.

#include "draco/node/node.hpp"
#include "draco/simulon/world.hpp"

#include "checker.hpp"
#include "population.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace draco::sim {

class Clients {
public:
    // Null for a node that is down.
    using NodeAt = std::function<node::Node*(std::size_t index)>;

    Clients(simulon::World& world,
            const NetworkScenario& scenario,
            const Population& population,
            const Checker& checker,
            NodeAt node_at);

    // Clients begin new transfers until then, and hold on to what they sent until it is executed.
    void start(Duration duration);

    bool all_executed() const;

    std::uint64_t sent() const { return sent_; }

    std::string describe() const;

private:
    struct Pending {
        Bytes transaction;
        types::Nonce nonce;
        Instant resend_at;
    };

    void tick();
    void begin(std::size_t client);
    void send(std::size_t client);

    simulon::World& world_;
    const NetworkScenario& scenario_;
    const Population& population_;
    const Checker& checker_;
    NodeAt node_at_;
    simulon::SeededRng rng_;
    Instant until_;
    std::vector<std::optional<Pending>> pending_;
    std::uint64_t sent_ = 0;
};

}  // namespace draco::sim
