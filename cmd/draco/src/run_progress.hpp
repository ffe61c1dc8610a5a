#pragma once
// How far simulated runs of equal length are, in milliseconds of virtual time.

#include "draco/base/clock.hpp"

#include <cstdint>
#include <functional>
#include <utility>

namespace draco {

// A run counts `run_ms` in all: while it is under way up to that, since what comes behind the load
// takes a time that nobody knows, and at its end the rest.
class RunProgress {
public:
    RunProgress(std::uint64_t run_ms, std::function<void(std::uint64_t ms)> advance)
        : run_ms_(run_ms), advance_(std::move(advance)) {}

    // In the run that is under way. Cheap where no millisecond has passed.
    void at(Duration virtual_time);
    void run_ended();

private:
    void tell(std::uint64_t ms);

    const std::uint64_t run_ms_;
    const std::function<void(std::uint64_t)> advance_;
    std::uint64_t told_ms_ = 0;  // of this run
};

}  // namespace draco
