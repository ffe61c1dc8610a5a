#pragma once
// The bytes of an object's file, data | tree | footer, and the names of files.
// docs/formats/blockstore.md is the specification.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/blake3_tree/hash_tree.hpp"
#include "draco/types/content.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace draco::blockstore {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kFooterBytes = 109;

struct Footer {
    types::ContentInfo info;
    std::uint64_t data_bytes = 0;  // a file's bytes; a directory's entries and their offsets
    std::uint64_t sequence = 0;    // ascends in the order in which objects came

    bool operator==(const Footer&) const = default;
};

constexpr std::uint64_t node_count(std::uint64_t leaves) {
    return leaves == 0 ? 0 : 2 * leaves - 1;
}

constexpr std::uint64_t tree_bytes(std::uint64_t leaves) {
    return node_count(leaves) * blake3_tree::Hash::kSize;
}

// Of the whole file.
constexpr std::uint64_t file_bytes(const Footer& footer) {
    return footer.data_bytes + tree_bytes(footer.info.leaves) + kFooterBytes;
}

Bytes encode_footer(const Footer& footer);
// The last kFooterBytes of a file of `file_bytes`. Corrupt: what is wrong with it. Unavailable: it
// is of another version of the format.
Result<Footer> decode_footer(ByteView bytes, std::uint64_t file_bytes);

// The length of a file's block. Precondition: index < info.leaves.
std::uint64_t block_bytes(const types::ContentInfo& info, std::uint64_t index);
// Whether these bytes, of whatever length, are what the leaf stands for.
// Precondition: index < tree.leaf_count().
bool is_block(blake3_tree::TreeView tree, std::uint64_t index, ByteView block);

blake3_tree::Hash as_tree_hash(const types::ContentHash& hash);
types::ContentHash as_content_hash(const blake3_tree::Hash& hash);

// Paths below the store's directory.
class Layout {
public:
    explicit Layout(std::string root) : root_(std::move(root)) {}

    const std::string& root() const { return root_; }

    std::string lock() const { return root_ + "/LOCK"; }

    std::string objects() const { return root_ + "/objects"; }

    std::string staging() const { return root_ + "/staging"; }

    std::string pins() const { return root_ + "/pins"; }

    std::string shard(const types::ContentHash& hash) const;
    std::string object(const types::ContentHash& hash) const;
    std::string pin(const types::ContentHash& hash) const;
    std::string staged(std::uint64_t number) const;

private:
    std::string root_;
};

// nullopt unless it is what Layout makes of a hash.
std::optional<types::ContentHash> hash_of_name(std::string_view name);

}  // namespace draco::blockstore
