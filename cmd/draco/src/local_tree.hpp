#pragma once
// What lies under a path of this machine, in the form in which it is published.

#include "draco/base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco {

struct LocalEntry {
    enum class Kind : std::uint8_t { File, Directory, Link };

    std::string path;  // to open it
    std::string name;  // in its directory
    Kind kind = Kind::File;
    std::uint64_t bytes = 0;            // of a file, when it was looked at
    std::string target{};               // of a link
    std::vector<LocalEntry> entries{};  // of a directory, ascending by the bytes of their names
};

struct LocalTree {
    LocalEntry root;
    std::uint64_t files = 0;
    std::uint64_t folders = 0;  // the root not counted
    std::uint64_t empty_folders = 0;
    std::uint64_t links = 0;
    std::uint64_t bytes = 0;
    // A sentence for each link that leads nowhere for those who get the tree: absolute, out of the
    // tree, or to nothing. The first kLinkWarningsMax, then how many more.
    std::vector<std::string> link_warnings{};
};

inline constexpr std::size_t kLinkWarningsMax = 20;

// Symbolic links below `path` stay links; `path` itself is followed. Errors name the path:
// NotFound; InvalidArgument for what cannot be published (a socket or device, a name that is not
// UTF-8, a directory with more than 65,535 entries, more than 64 levels); Io.
Result<LocalTree> read_local_tree(const std::string& path);

}  // namespace draco
