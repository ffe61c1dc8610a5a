#pragma once
// What the network delivers, by address: files and directories (docs/decisions/008). An address
// proves its content; whether it is a file or a directory only the object itself tells.

#include "draco/base/bytes.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/directory.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace draco::types {

// Of a file the BLAKE3 of its bytes; of a directory the root over its entries
// (lib/blake3-tree/directory.hpp).
using ContentHash = FixedBytes<struct ContentHashTag, 32>;

enum class ContentKind : std::uint8_t { File, Directory };

struct ContentInfo {
    ContentHash hash;
    ContentKind kind = ContentKind::File;
    std::uint64_t bytes = 0;   // of a file; 0 for a directory
    std::uint64_t leaves = 0;  // a file's blocks (at least 1), a directory's entries

    bool operator==(const ContentInfo&) const = default;
};

// Where a name in a directory leads.
using LinkTarget = bcs::Bounded<std::string, blake3_tree::kSymlinkTargetBytesMax>;

struct DirectoryEntry {
    bcs::Bounded<std::string, blake3_tree::kEntryNameBytesMax> name;
    std::variant<ContentHash, LinkTarget> target;  // a file or directory; a symbolic link

    bool operator==(const DirectoryEntry&) const = default;
};

}  // namespace draco::types
