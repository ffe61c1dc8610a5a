#pragma once
// A set of block indices as runs. Value type. Memory and the logarithms below are of the number of
// runs.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace draco::fetcher {

class BlockSet {
public:
    // O(log n) for each run that it meets.
    void insert(std::uint64_t first, std::uint64_t end);
    void erase(std::uint64_t index);           // O(log n)
    bool contains(std::uint64_t index) const;  // O(log n)
    // The first one at or after `from`. O(log n)
    std::optional<std::uint64_t> next(std::uint64_t from) const;

    // Takes out the first run at or after `from`, cut to `count_max`. nullopt: there is none.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> take(std::uint64_t from,
                                                                std::uint64_t count_max);

    bool empty() const { return runs_.empty(); }

private:
    std::map<std::uint64_t, std::uint64_t> runs_;  // first -> end; disjoint, not touching
};

}  // namespace draco::fetcher
