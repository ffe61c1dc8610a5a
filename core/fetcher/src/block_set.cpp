#include "draco/fetcher/block_set.hpp"

#include <algorithm>

namespace draco::fetcher {

void BlockSet::insert(std::uint64_t first, std::uint64_t end) {
    if (first >= end) return;
    auto run = runs_.upper_bound(first);
    if (run != runs_.begin() && std::prev(run)->second >= first) --run;
    while (run != runs_.end() && run->first <= end) {
        first = std::min(first, run->first);
        end = std::max(end, run->second);
        run = runs_.erase(run);
    }
    runs_.emplace(first, end);
}

void BlockSet::erase(std::uint64_t index) {
    auto run = runs_.upper_bound(index);
    if (run == runs_.begin()) return;
    --run;
    const auto [first, end] = *run;
    if (index >= end) return;
    runs_.erase(run);
    if (first < index) runs_.emplace(first, index);
    if (index + 1 < end) runs_.emplace(index + 1, end);
}

bool BlockSet::contains(std::uint64_t index) const {
    const auto run = runs_.upper_bound(index);
    return run != runs_.begin() && index < std::prev(run)->second;
}

std::optional<std::uint64_t> BlockSet::next(std::uint64_t from) const {
    const auto run = runs_.upper_bound(from);
    if (run != runs_.begin() && std::prev(run)->second > from) return from;
    if (run == runs_.end()) return std::nullopt;
    return run->first;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> BlockSet::take(std::uint64_t from,
                                                                      std::uint64_t count_max) {
    auto run = runs_.upper_bound(from);
    if (run != runs_.begin() && std::prev(run)->second > from) --run;
    if (run == runs_.end() || count_max == 0) return std::nullopt;
    const auto [first, end] = *run;
    const std::uint64_t begin = std::max(first, from);
    const std::uint64_t stop = std::min(end, begin + count_max);
    runs_.erase(run);
    if (first < begin) runs_.emplace(first, begin);
    if (stop < end) runs_.emplace(stop, end);
    return std::pair(begin, stop);
}

}  // namespace draco::fetcher
