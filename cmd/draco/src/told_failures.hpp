#pragma once
// What has been said of failures that come again and again, so that each kind is said once.

#include "draco/base/result.hpp"

#include <cstddef>
#include <set>
#include <utility>

namespace draco {

class ToldFailures {
public:
    // True the first time that this kind is met at `place` since the place last worked.
    bool is_new(std::size_t place, Errc kind) { return told_.emplace(place, kind).second; }

    // True if failures were told of it, which are over now.
    bool works(std::size_t place) {
        return std::erase_if(told_, [place](const auto& each) { return each.first == place; }) > 0;
    }

private:
    std::set<std::pair<std::size_t, Errc>> told_;
};

}  // namespace draco
