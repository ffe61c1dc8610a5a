#include "format.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/directory.hpp"

#include "entry_codec.hpp"

namespace draco::blockstore {
namespace {

using blake3_tree::Hash;
using types::ContentKind;

constexpr std::size_t kShardDigits = 2;

struct MagicTag;
using Magic = FixedBytes<MagicTag, 8>;

struct ChecksumTag;
using Checksum = FixedBytes<ChecksumTag, 32>;

constexpr Magic kMagic({'d', 'r', 'c', 'o', '_', 'o', 'b', 'j'});

struct StoredFooter {
    Magic magic;
    std::uint32_t version = 0;
    ContentKind kind = ContentKind::File;
    types::ContentHash hash;
    std::uint64_t bytes = 0;
    std::uint64_t leaves = 0;
    std::uint64_t data_bytes = 0;
    std::uint64_t sequence = 0;
    Checksum checksum;  // of all before it
};

Checksum checksum_of(ByteView bytes) {
    static const auto kMode = blake3_tree::Mode::derive_key("draco blockstore object footer");
    return Checksum(blake3_tree::hash(bytes, kMode).bytes);
}

std::unexpected<Error> wrong(std::string what) {
    return fail(Errc::Corrupt, "its footer " + std::move(what));
}

Result<> check_file(const StoredFooter& footer) {
    if (footer.data_bytes != footer.bytes) return wrong("gives two lengths");
    if (footer.leaves != blake3_tree::block_count(footer.bytes))
        return wrong("has a tree of another length");
    return {};
}

Result<> check_directory(const StoredFooter& footer) {
    if (footer.bytes != 0) return wrong("gives a directory the length of a file");
    if (footer.leaves > blake3_tree::kDirectoryEntriesMax) return wrong("has too many entries");
    if (footer.data_bytes < footer.leaves * (kEntryBytesMin + kOffsetBytes) ||
        footer.data_bytes > footer.leaves * (kEntryBytesMax + kOffsetBytes))
        return wrong("has entries of an impossible size");
    return {};
}

}  // namespace

Bytes encode_footer(const Footer& footer) {
    const StoredFooter stored{.magic = kMagic,
                              .version = kFormatVersion,
                              .kind = footer.info.kind,
                              .hash = footer.info.hash,
                              .bytes = footer.info.bytes,
                              .leaves = footer.info.leaves,
                              .data_bytes = footer.data_bytes,
                              .sequence = footer.sequence,
                              .checksum = {}};
    Bytes bytes = bcs::encode(stored);
    DRACO_ASSERT(bytes.size() == kFooterBytes, "a footer has a fixed size");
    const auto body = ByteView(bytes).first(kFooterBytes - Checksum::kSize);
    std::ranges::copy(checksum_of(body).view(), bytes.end() - Checksum::kSize);
    return bytes;
}

Result<Footer> decode_footer(ByteView bytes, std::uint64_t file_bytes) {
    if (bytes.size() != kFooterBytes || file_bytes < kFooterBytes) return wrong("is cut off");
    const auto body = bytes.first(kFooterBytes - Checksum::kSize);
    if (!equal(checksum_of(body).view(), bytes.last(Checksum::kSize)))
        return wrong("does not match its checksum");
    DRACO_TRY(stored, bcs::decode<StoredFooter>(bytes));
    if (stored.magic != kMagic) return wrong("is none");
    if (stored.version != kFormatVersion)
        return fail(Errc::Unavailable,
                    "its format has version " + std::to_string(stored.version) +
                        ", this program reads version " + std::to_string(kFormatVersion));
    // First, so that no sum of what follows can overflow.
    if (stored.data_bytes > file_bytes) return wrong("promises more bytes than the file has");
    DRACO_TRY_VOID(stored.kind == ContentKind::File ? check_file(stored) : check_directory(stored));
    const Footer footer{.info = {.hash = stored.hash,
                                 .kind = stored.kind,
                                 .bytes = stored.bytes,
                                 .leaves = stored.leaves},
                        .data_bytes = stored.data_bytes,
                        .sequence = stored.sequence};
    if (blockstore::file_bytes(footer) != file_bytes) return wrong("is of a file of another size");
    return footer;
}

std::uint64_t block_bytes(const types::ContentInfo& info, std::uint64_t index) {
    DRACO_ASSERT(index < info.leaves, "a block of the file");
    if (index + 1 < info.leaves) return blake3_tree::kBlockBytes;
    return info.bytes - index * blake3_tree::kBlockBytes;
}

bool is_block(blake3_tree::TreeView tree, std::uint64_t index, ByteView block) {
    if (block.size() > blake3_tree::kBlockBytes) return false;
    const auto node = blake3_tree::block_node(block, index);
    return tree.leaf(index) == (tree.leaf_count() == 1 ? node.root_hash() : node.chaining_value());
}

Hash as_tree_hash(const types::ContentHash& hash) {
    return Hash(hash.bytes);
}

types::ContentHash as_content_hash(const Hash& hash) {
    return types::ContentHash(hash.bytes);
}

std::string Layout::shard(const types::ContentHash& hash) const {
    return objects() + "/" + to_hex(hash.view()).substr(0, kShardDigits);
}

std::string Layout::object(const types::ContentHash& hash) const {
    return shard(hash) + "/" + to_hex(hash.view());
}

std::string Layout::pin(const types::ContentHash& hash) const {
    return pins() + "/" + to_hex(hash.view());
}

std::string Layout::staged(std::uint64_t number) const {
    return staging() + "/" + std::to_string(number);
}

std::optional<types::ContentHash> hash_of_name(std::string_view name) {
    const auto hash = fixed_from_hex<types::ContentHash>(name);
    if (!hash || to_hex(hash->view()) != name) return std::nullopt;
    return *hash;
}

}  // namespace draco::blockstore
