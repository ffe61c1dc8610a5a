#pragma once
// Readers who pay: each opens a lane to every node, reads files from some node block by block, and
// acknowledges what it got. What a node has taken must be settled in the end, whatever crashes.

#include "draco/interfaces/content.hpp"
#include "draco/node/node.hpp"
#include "draco/simulon/world.hpp"

#include "checker.hpp"
#include "library.hpp"
#include "population.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::sim {

class Readers {
public:
    // Null for a node that is down.
    using NodeAt = std::function<node::Node*(std::size_t index)>;

    Readers(simulon::World& world,
            const NetworkScenario& scenario,
            const Population& population,
            const Checker& checker,
            PlantedBug bug,
            NodeAt node_at);

    // Readers choose what to read until then; afterwards each file is read once from each node.
    void start(Duration duration);

    // Every file was read from every node, and the chain has settled all that was acknowledged.
    bool done();

    // The first wrong byte, if any.
    const std::optional<std::string>& violation() const { return violation_; }

    std::uint64_t bytes_read() const { return bytes_read_; }

    std::uint64_t words_taken() const { return words_taken_; }

    std::string describe() const;

private:
    struct Wish {
        std::size_t node = 0;
        std::size_t file = 0;
        bool is_last = false;  // of those that must succeed
    };

    // What a reader does now. Answers to an older `turn` are not heard.
    struct Reading {
        std::uint64_t turn = 0;
        std::optional<Wish> wish{};
        std::shared_ptr<interfaces::Content> content{};
        Instant give_up_at{};
    };

    // Of a reader and a node.
    struct Account {
        std::uint64_t received = 0;  // units; what it would sign
        std::uint64_t taken = 0;     // of the last word that the node said it has taken
    };

    struct Pending {
        Bytes transaction;
        types::Nonce nonce;
        Instant resend_at;
    };

    void tick();
    void publish();
    void open_lanes(std::size_t reader);
    void begin(std::size_t reader);
    void opened(std::size_t reader, Result<std::shared_ptr<interfaces::Content>> content);
    void read_block(std::size_t reader, std::uint64_t index);
    void took_block(std::size_t reader, std::uint64_t index, const Bytes& block);
    void acknowledge(std::size_t reader, std::size_t node);
    void end(std::size_t reader, bool was_read);
    types::LaneKey lane_of(std::size_t reader, std::size_t node) const;

    simulon::World& world_;
    const NetworkScenario& scenario_;
    const Population& population_;
    const Checker& checker_;
    PlantedBug bug_;
    NodeAt node_at_;
    simulon::SeededRng rng_;
    std::vector<PublishedFile> files_;
    std::vector<bool> is_published_;
    std::vector<Reading> readings_;
    std::vector<std::vector<Account>> accounts_;  // [reader][node]
    std::vector<std::optional<Pending>> pending_;
    std::deque<Wish> last_wishes_;
    std::size_t last_reads_ = 0;  // of last_wishes_, that have succeeded
    Instant until_;
    bool draining_ = false;
    std::uint64_t bytes_read_ = 0;
    std::uint64_t words_taken_ = 0;
    std::string last_failure_;
    std::optional<std::string> violation_;
};

}  // namespace draco::sim
