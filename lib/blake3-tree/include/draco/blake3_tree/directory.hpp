#pragma once
// The hash of a directory: a tree (hash_tree.hpp) over its entries in keyed mode.
//
//   key    BLAKE3("DIRECTORY")
//   leaf   keyed hash (finalized, 32 bytes) of the transcript of the entry:
//            1 byte flags: bit 0 = the only entry of the directory, bit 1 = symbolic link
//            name | 00
//            link: 32-byte hash of a content or directory; symbolic link: target | 00
//            2 bytes index of the entry, little-endian
//   root   n = 0: keyed hash of nothing; n = 1: the leaf; else the root of the tree
//
// Names are 1..255 bytes, without NUL and '/', not "." or "..", strictly ascending as unsigned
// bytes; targets 1..1023 bytes without NUL; at most 65,535 entries. Whether a link leads to a
// content or to a directory is not in the hash: the object itself tells.

#include "draco/blake3_tree/hash_tree.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace draco::blake3_tree {

inline constexpr std::size_t kDirectoryEntriesMax = 65535;
inline constexpr std::size_t kEntryNameBytesMax = 255;
inline constexpr std::size_t kSymlinkTargetBytesMax = 1023;

// The mode of leaves and parents, for TreeVerifier and HashTree::from_nodes.
const Mode& directory_mode();

// The root of a directory without entries, which has no tree.
const Hash& empty_directory_hash();

bool is_entry_name(std::string_view name);
bool is_symlink_target(std::string_view target);

// Where an entry stands in its directory; its leaf binds it.
struct EntryPlace {
    std::uint16_t index = 0;
    bool is_only = false;  // the directory has no other entry
};

// The leaf of one entry, to check it by itself. It stands for one entry only if name and target are
// of the form above (a NUL inside them would leave open where one ends): check foreign ones first.
Hash link_leaf(EntryPlace place, std::string_view name, const Hash& target);
Hash symlink_leaf(EntryPlace place, std::string_view name, std::string_view target);

// Collects entries in ascending order of their names. One thread at a time. Each call answers
// InvalidArgument (the entry breaks a rule above) or Exhausted (too many entries) and then has no
// effect. Memory: 64 bytes per entry.
class DirectoryHasher {
public:
    DirectoryHasher();

    Result<> add_link(std::string_view name, const Hash& target);
    Result<> add_symlink(std::string_view name, std::string_view target);

    std::size_t entry_count() const { return entry_count_; }

    // nullopt for an empty directory, whose hash is empty_directory_hash().
    std::optional<HashTree> finish() &&;

private:
    Result<> check_name(std::string_view name) const;
    void add_entry(Bytes transcript, std::string_view name);
    void add_first_leaf(bool is_only);

    TreeAssembler assembler_;
    std::size_t entry_count_ = 0;
    std::string last_name_;
    // The transcript of entry 0, whose flags depend on whether there is another.
    Bytes first_transcript_;
};

}  // namespace draco::blake3_tree
