#pragma once
// The links of a world. A link joins two nodes as a pair of directions, each with its own options,
// randomness and queues. Its epoch counts how often it went down: a message belongs to the epoch it
// was sent in. When a link goes down, a random first part of what is in flight still arrives,
// before the receiver is told: what left a machine before it crashed may be read after.

#include "draco/simulon/world.hpp"

#include "core.hpp"
#include "node.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace draco::simulon {

class Network {
public:
    Network(Core& core, std::vector<std::unique_ptr<Node>>& nodes) : core_(core), nodes_(nodes) {}

    struct Direction {
        Direction(const LinkOptions& chosen, const SeededRng& stream)
            : options(chosen), rng(stream) {}

        struct Lane {
            Instant free_at;       // when all that was sent has left
            Instant last_arrival;  // nothing overtakes
        };

        LinkOptions options;
        SeededRng rng;
        std::array<Lane, kChannelCount> lanes{};
        std::uint32_t epoch = 0;
        Instant drained_at;   // what was due earlier in the epoch before still arrives
        Instant notified_at;  // when the receiver hears last that the link changed
        bool is_cut = false;
        bool taken_down = false;  // the same both ways
        bool is_up = false;       // the same both ways; what both ends are told
        std::vector<std::pair<Channel, Bytes>> recent;
    };

    void add_node() { tables_.emplace_back(); }

    bool connected(std::uint32_t from, std::uint32_t to) const;
    void connect(std::uint32_t a, std::uint32_t b, const LinkOptions& options);
    Direction& direction(std::uint32_t from, std::uint32_t to);

    const std::vector<std::uint32_t>& peers(std::uint32_t node) const {
        return tables_[node].peers;
    }

    // The network's part of a node's start or crash: its links go up or down.
    void node_changed(std::uint32_t node);
    void set_taken_down(std::uint32_t a, std::uint32_t b, bool taken_down);

    Result<> send(Node& from, PeerId to, Channel channel, Bytes message);
    // Whether a message that arrives now is still wanted.
    bool arrives(const Event& message);

private:
    struct Table {
        std::vector<std::uint32_t> peers;  // ascending
        std::vector<Direction> links;      // beside peers
    };

    Direction* find(std::uint32_t from, std::uint32_t to);
    // Brings the link up or down if something that decides it has changed.
    void refresh(std::uint32_t a, std::uint32_t b);
    void went_up(std::uint32_t a, std::uint32_t b);
    void went_down(std::uint32_t a, std::uint32_t b);
    // Tells `node` that its link to `peer` changed, after all that is still to arrive from there.
    // Returns when.
    Instant notify(EventKind kind, std::uint32_t node, std::uint32_t peer);
    void lose_in_flight(Direction& link, std::uint32_t to);
    void resend_recent(std::uint32_t from, std::uint32_t to, Direction& link);
    void transmit(Direction& link,
                  std::uint32_t from,
                  std::uint32_t to,
                  Instant depart,
                  Channel channel,
                  Bytes message);

    Core& core_;
    std::vector<std::unique_ptr<Node>>& nodes_;
    std::vector<Table> tables_;
};

}  // namespace draco::simulon
