#pragma once
// What nodes and links share: virtual time, the events to come, the trace, the root of randomness.

#include "draco/simulon/seeded_rng.hpp"
#include "draco/simulon/trace.hpp"
#include "draco/simulon/world.hpp"

#include "event_queue.hpp"

#include <cstdint>

namespace draco::simulon {

struct Core {
    explicit Core(std::uint64_t seed, const WorldOptions& chosen) : options(chosen), rng(seed) {}

    const WorldOptions options;
    const SeededRng rng;  // only forked
    Instant now;
    EventQueue queue;
    Trace trace;
    WorldCounts counts;
};

}  // namespace draco::simulon
