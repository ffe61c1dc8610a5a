#pragma once
// How evenly a network executes, in virtual time: what an epoch's end costs those who wait for a
// block, and how far nodes that follow are behind those that order.

#include "draco/base/clock.hpp"

#include <functional>
#include <vector>

namespace draco::sim {

// Of blocks that were executed under load, each where a node executed it for the first time.
struct Pace {
    // Of each member and epoch: from the execution of its last block to that of the next block.
    std::vector<Duration> epoch_gaps;
    // Of each member, between all other blocks that follow each other.
    std::vector<Duration> block_gaps;
    // Of each follower and height: how much later than the median member it executed the block.
    // Negative if it was earlier.
    std::vector<Duration> follower_lags;
};

// Told at the end of each run that went well.
using PaceReport = std::function<void(const Pace&)>;

// The upper median. Precondition (asserted): there is one. O(n).
Duration median(std::vector<Duration> durations);
// Precondition (asserted): there is one.
Duration longest(const std::vector<Duration>& durations);

}  // namespace draco::sim
