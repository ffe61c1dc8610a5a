#pragma once
// What the owner of a node has put on it or pinned, by the names that were typed. A node knows
// objects by their hashes alone: the names are the owner's, and lie in the node's home
// (docs/formats/roots.md).

#include "draco/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace draco {

inline constexpr std::size_t kRootsMax = 10'000;  // the oldest go first
inline constexpr std::size_t kRootNameBytesMax = 1024;

struct ContentRoot {
    std::string name;
    std::uint64_t put_ms = 0;  // since 1970

    bool operator==(const ContentRoot&) const = default;
};

using ContentRoots = std::map<std::string, ContentRoot>;  // by hash, in hex

// Empty if there is no file. Corrupt: it is damaged.
Result<ContentRoots> read_roots(const std::string& home);
// Durable when they return. One command at a time: others wait a moment.
Result<> add_root(const std::string& home, const std::string& hash, const std::string& name);
Result<> remove_root(const std::string& home, const std::string& hash);

}  // namespace draco
