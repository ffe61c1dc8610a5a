#pragma once
// What core.cpp, which takes events and answers, shares with core_asking.cpp, which chooses whom to
// ask.

#include "draco/base/clock.hpp"
#include "draco/types/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace draco::sync {

inline types::Height next(types::Height height) {
    return types::Height(height.value() + 1);
}

// How long so many bytes take.
inline Duration time_of(std::size_t bytes, std::size_t bytes_per_s) {
    return std::chrono::microseconds(static_cast<std::int64_t>(bytes * 1'000'000 / bytes_per_s));
}

}  // namespace draco::sync
