#pragma once
// When each node executed which block first, and what follows from that.

#include "draco/sim/pace.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace draco::sim {

class PaceMeter {
public:
    // Nodes [0, members) are members, all others up to `nodes` follow.
    PaceMeter(std::size_t members, std::size_t nodes) : members_(members), at_(nodes) {}

    void executed(std::size_t node, std::uint64_t height, bool ends_epoch, Instant now);

    // Of the heights that all nodes have executed.
    Pace pace() const;

private:
    using Heights = std::map<std::uint64_t, Instant>;

    void add_gaps(const Heights& member, Pace& pace) const;

    std::size_t members_;
    std::vector<Heights> at_;  // by node
    std::set<std::uint64_t> epoch_ends_;
};

}  // namespace draco::sim
