#pragma once
// The stored form of a subtree: a page. A subtree of at most kBucketLeavesMax leaves is one Bucket
// of leaves; a larger one is a Branch that summarises its kFanout subtrees kPageLevels further
// down, which have pages of their own. Which it is, and every byte, follows from the leaves, so
// equal trees have equal pages.
//
//     Bucket: version 1, kind 0, count 1..16, then for each leaf, ascending by key:
//             key without its first floor(depth / 8) bytes, value hash
//     Branch: version 1, kind 1, bitmap of the subtrees that have leaves (bit i: child i), then for
//             each of those: number of leaves (8 bytes, little-endian, not 0), digest

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace draco::sparse_merkle {

inline constexpr unsigned kPageLevels = 3;
inline constexpr unsigned kFanout = 1U << kPageLevels;
inline constexpr std::size_t kBucketLeavesMax = 16;

using Bucket = std::vector<Leaf>;

struct Branch {
    struct Child {
        std::uint64_t count = 0;
        Digest digest;

        Node node() const {
            if (count == 0) return {};
            return {count == 1 ? Node::Kind::Leaf : Node::Kind::Inner, digest};
        }
    };

    std::array<Child, kFanout> children;

    std::uint64_t count() const;
};

using Page = std::variant<Bucket, Branch>;

std::uint64_t leaf_count(const Page& page);

Bytes encode_bucket(unsigned depth, std::span<const Leaf> leaves);
Bytes encode_branch(const Branch& branch);

// Corrupt, with the offset, for every byte string that encoding a page called `id` cannot give.
Result<Page> decode_page(const PageId& id, ByteView bytes);

// Reads a page that the tree says is there, with so many leaves if it says that; otherwise Corrupt.
Result<Page> read_page(const PageStore& store,
                       const PageId& id,
                       std::optional<std::uint64_t> count);

PageId child_id(const PageId& id, unsigned child);

std::unexpected<Error> corrupt_page(const PageId& id, const std::string& what);

}  // namespace draco::sparse_merkle
