#include "page.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "key_bits.hpp"

#include <bit>
#include <limits>
#include <optional>
#include <utility>

namespace draco::sparse_merkle {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kBucketKind = 0;
constexpr std::uint8_t kBranchKind = 1;
// Deeper subtrees have too few keys to outgrow a bucket.
constexpr unsigned kBranchDepthMax = kKeyBits - std::bit_width(kBucketLeavesMax);
constexpr std::size_t kHeaderBytes = 3;
constexpr std::size_t kChildBytes = 8 + Digest::kSize;

std::unexpected<Error> corrupt_at(const PageId& id, std::size_t offset, const std::string& what) {
    return corrupt_page(id, what + " at offset " + std::to_string(offset));
}

Result<Page> decode_bucket(const PageId& id, ByteView bytes) {
    const std::size_t count = bytes[2];
    const std::size_t shared = id.depth() / 8U;
    const std::size_t key_bytes = Key::kSize - shared;
    const std::size_t entry_bytes = key_bytes + ValueHash::kSize;
    if (count == 0 || count > kBucketLeavesMax)
        return corrupt_at(id, 2, "a bucket of " + std::to_string(count) + " leaves");
    if (bytes.size() != kHeaderBytes + count * entry_bytes)
        return corrupt_at(id, bytes.size(), "wrong length for a bucket");

    Bucket leaves(count);
    const Key prefix = id.first_key();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t offset = kHeaderBytes + i * entry_bytes;
        Leaf& leaf = leaves[i];
        std::copy_n(prefix.data(), shared, leaf.key.data());
        std::copy_n(&bytes[offset], key_bytes, leaf.key.data() + shared);
        std::copy_n(&bytes[offset + key_bytes], ValueHash::kSize, leaf.value_hash.data());
        if (common_bits(leaf.key, prefix) < id.depth())
            return corrupt_at(id, offset, "a key outside the page's subtree");
        if (i > 0 && leaf.key <= leaves[i - 1].key)
            return corrupt_at(id, offset, "keys do not ascend");
    }
    return leaves;
}

Result<Page> decode_branch(const PageId& id, ByteView bytes) {
    const unsigned present = bytes[2];
    const auto present_count = static_cast<std::size_t>(std::popcount(present));
    if (bytes.size() != kHeaderBytes + present_count * kChildBytes)
        return corrupt_at(id, bytes.size(), "wrong length for a branch");

    Branch branch;
    std::uint64_t total = 0;
    std::size_t offset = kHeaderBytes;
    for (unsigned i = 0; i < kFanout; ++i) {
        if (((present >> i) & 1) == 0) continue;
        Branch::Child& child = branch.children[i];
        child.count = load_le<std::uint64_t>(&bytes[offset]);
        std::copy_n(&bytes[offset + 8], Digest::kSize, child.digest.data());
        if (child.count == 0 || child.digest.is_zero())
            return corrupt_at(id, offset, "an empty subtree is listed");
        if (child.count > std::numeric_limits<std::uint64_t>::max() - total)
            return corrupt_at(id, offset, "the leaf count overflows");
        total += child.count;
        offset += kChildBytes;
    }
    if (total <= kBucketLeavesMax) return corrupt_at(id, 2, "a branch that should be a bucket");
    if (id.depth() > kBranchDepthMax) return corrupt_at(id, 1, "a branch too deep to have leaves");
    return branch;
}

}  // namespace

std::uint64_t Branch::count() const {
    std::uint64_t total = 0;
    for (const Child& child : children) total += child.count;
    return total;
}

std::uint64_t leaf_count(const Page& page) {
    const auto* bucket = std::get_if<Bucket>(&page);
    return bucket != nullptr ? bucket->size() : std::get<Branch>(page).count();
}

Bytes encode_bucket(unsigned depth, std::span<const Leaf> leaves) {
    DRACO_ASSERT(!leaves.empty() && leaves.size() <= kBucketLeavesMax, "a bucket has 1..16 leaves");
    const std::size_t shared = depth / 8;
    Bytes bytes;
    bytes.reserve(kHeaderBytes + leaves.size() * (Key::kSize - shared + ValueHash::kSize));
    bytes.assign({kVersion, kBucketKind, static_cast<std::uint8_t>(leaves.size())});
    for (const Leaf& leaf : leaves) {
        append(bytes, leaf.key.view().subspan(shared));
        append(bytes, leaf.value_hash.view());
    }
    return bytes;
}

Bytes encode_branch(const Branch& branch) {
    Bytes bytes;
    bytes.reserve(kHeaderBytes + kFanout * kChildBytes);
    bytes.assign({kVersion, kBranchKind, 0});
    for (unsigned i = 0; i < kFanout; ++i) {
        const Branch::Child& child = branch.children[i];
        if (child.count == 0) continue;
        bytes[2] = static_cast<std::uint8_t>(bytes[2] | (1U << i));
        std::uint8_t count[8];
        store_le(count, child.count);
        append(bytes, count);
        append(bytes, child.digest.view());
    }
    return bytes;
}

Result<Page> decode_page(const PageId& id, ByteView bytes) {
    if (bytes.size() < kHeaderBytes) return corrupt_at(id, bytes.size(), "the page is cut short");
    if (bytes[0] != kVersion)
        return corrupt_at(id, 0, "unknown page version " + std::to_string(bytes[0]));
    if (bytes[1] == kBucketKind) return decode_bucket(id, bytes);
    if (bytes[1] == kBranchKind) return decode_branch(id, bytes);
    return corrupt_at(id, 1, "unknown page kind " + std::to_string(bytes[1]));
}

Result<Page> read_page(const PageStore& store,
                       const PageId& id,
                       std::optional<std::uint64_t> count) {
    std::optional<Page> page;
    DRACO_TRY_VOID(store.read({&id, 1}, [&](std::size_t, ByteView bytes) -> Result<void> {
        DRACO_TRY(decoded, decode_page(id, bytes));
        page = std::move(decoded);
        return {};
    }));
    if (!page) return corrupt_page(id, "the page is missing");
    if (count && leaf_count(*page) != *count)
        return corrupt_page(id, "its leaf count differs from what its parent says");
    return *std::move(page);
}

PageId child_id(const PageId& id, unsigned child) {
    Key key = id.first_key();
    for (unsigned i = 0; i < kPageLevels; ++i)
        set_key_bit(key, id.depth() + i, ((child >> (kPageLevels - 1 - i)) & 1) != 0);
    return {static_cast<std::uint8_t>(id.depth() + kPageLevels), key};
}

std::unexpected<Error> corrupt_page(const PageId& id, const std::string& what) {
    return fail(Errc::Corrupt,
                "Merkle page " + to_hex(id.view()) + ": " + what +
                    "; restore the state or rebuild the tree");
}

PageId::PageId(std::uint8_t depth, const Key& key) {
    raw_[0] = depth;
    const std::size_t whole = depth / 8U;
    std::copy_n(key.data(), whole, &raw_[1]);
    if (depth % 8 != 0)
        raw_[1 + whole] = static_cast<std::uint8_t>(key.bytes[whole] & (0xFF00U >> (depth % 8)));
}

Result<PageId> PageId::from_bytes(ByteView bytes) {
    if (bytes.empty() || bytes.size() != 1 + (bytes[0] + std::size_t{7}) / 8)
        return fail(Errc::Corrupt,
                    "a Merkle page id of " + std::to_string(bytes.size()) + " bytes: wrong length");
    Key key;
    std::ranges::copy(bytes.subspan(1), key.data());
    PageId id(bytes[0], key);
    if (!equal(id.view(), bytes))
        return fail(Errc::Corrupt, "Merkle page id " + to_hex(bytes) + " has bits past its depth");
    return id;
}

Key PageId::first_key() const {
    Key key;
    std::copy_n(&raw_[1], Key::kSize, key.data());
    return key;
}

}  // namespace draco::sparse_merkle
