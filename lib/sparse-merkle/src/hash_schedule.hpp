#pragma once
// Two ways to hash the nodes of a tree, with one interface (a "hasher"): HashSchedule records what
// is to be hashed and then does it level by level in batches; DirectHash hashes at once. Shape
// never depends on digests, so the code that builds a tree is the same for both.
//
//     Ref known(Node)   leaf(Leaf)   join(depth, left, right)
//
// join makes the node at `depth` from its children at depth + 1, and is where compaction happens: a
// lone leaf moves up.

#include "draco/base/assert.hpp"
#include "draco/sparse_merkle/node_hash.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include "key_bits.hpp"
#include "page.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace draco::sparse_merkle {

// The child that takes the place of its parent, if the parent is not an inner node.
template <class Ref>
std::optional<Ref> compacted(const Ref& left, const Ref& right) {
    using Kind = Node::Kind;
    if (left.kind == Kind::Empty && right.kind != Kind::Inner) return right;
    if (right.kind == Kind::Empty && left.kind != Kind::Inner) return left;
    return std::nullopt;
}

inline void put_node(std::uint8_t* to, ByteView first_half, ByteView second_half) {
    std::ranges::copy(first_half, to);
    std::ranges::copy(second_half, to + kNodeBytes / 2);
}

template <NodeHash H>
class HashSchedule {
public:
    struct Ref {
        Node::Kind kind = Node::Kind::Empty;
        std::uint32_t index = 0;  // into digests_; [0] is the empty digest
    };

    Ref known(const Node& node) {
        if (node.kind == Node::Kind::Empty) return {};
        digests_.push_back(node.digest);
        return {node.kind, last()};
    }

    Ref leaf(const Leaf& leaf) {
        digests_.emplace_back();
        leaves_.push_back({leaf, last()});
        return {Node::Kind::Leaf, last()};
    }

    Ref join(unsigned depth, Ref left, Ref right) {
        if (const auto only = compacted(left, right)) return *only;
        digests_.emplace_back();
        inner_[depth].push_back({left.index, right.index, last()});
        return {Node::Kind::Inner, last()};
    }

    // Hashes all that was recorded since the last run: leaves first, then from the deepest level
    // up.
    void run() {
        const auto leaf_node = [](const LeafJob& job, std::uint8_t* to) {
            put_node(to, job.leaf.key.view(), job.leaf.value_hash.view());
        };
        const auto inner_node = [this](const InnerJob& job, std::uint8_t* to) {
            put_node(to, digests_[job.left].view(), digests_[job.right].view());
        };
        in_batches(std::span<const LeafJob>(leaves_), H::hash_leaves, leaf_node);
        leaves_.clear();
        for (std::size_t depth = inner_.size(); depth-- > 0;) {
            in_batches(std::span<const InnerJob>(inner_[depth]), H::hash_inner, inner_node);
            inner_[depth].clear();
        }
    }

    // Valid after run().
    Node node(Ref ref) const { return {ref.kind, digests_[ref.index]}; }

private:
    struct LeafJob {
        Leaf leaf;
        std::uint32_t target;
    };

    struct InnerJob {
        std::uint32_t left;
        std::uint32_t right;
        std::uint32_t target;
    };

    static constexpr std::size_t kBatch = 64;  // 6 KiB of stack, within the first-level cache

    std::uint32_t last() const { return static_cast<std::uint32_t>(digests_.size() - 1); }

    template <class Job, class Hash, class Fill>
    void in_batches(std::span<const Job> jobs, Hash hash, Fill fill) {
        std::array<std::uint8_t, kBatch * kNodeBytes> nodes;
        std::array<std::uint8_t, kBatch * Digest::kSize> digests;
        while (!jobs.empty()) {
            const auto batch = jobs.first(std::min(jobs.size(), kBatch));
            for (std::size_t i = 0; i < batch.size(); ++i) fill(batch[i], &nodes[i * kNodeBytes]);
            hash(nodes.data(), digests.data(), batch.size());
            for (std::size_t i = 0; i < batch.size(); ++i)
                std::copy_n(
                    &digests[i * Digest::kSize], Digest::kSize, digests_[batch[i].target].data());
            jobs = jobs.subspan(batch.size());
        }
    }

    std::vector<Digest> digests_ = std::vector<Digest>(1);
    std::vector<LeafJob> leaves_;
    std::array<std::vector<InnerJob>, kKeyBits> inner_;
};

template <NodeHash H>
struct DirectHash {
    using Ref = Node;

    static Node known(const Node& node) { return node; }

    static Node leaf(const Leaf& leaf) {
        Node node{Node::Kind::Leaf, {}};
        std::array<std::uint8_t, kNodeBytes> bytes;
        put_node(bytes.data(), leaf.key.view(), leaf.value_hash.view());
        H::hash_leaves(bytes.data(), node.digest.data(), 1);
        return node;
    }

    static Node join(unsigned, const Node& left, const Node& right) {
        if (const auto only = compacted(left, right)) return *only;
        Node node{Node::Kind::Inner, {}};
        std::array<std::uint8_t, kNodeBytes> bytes;
        put_node(bytes.data(), left.digest.view(), right.digest.view());
        H::hash_inner(bytes.data(), node.digest.data(), 1);
        return node;
    }
};

// The node at `depth` over leaves sorted by key that share their first `depth` bits. Recursion is
// at most kKeyBits deep.
template <class Hasher>
typename Hasher::Ref join_leaves(Hasher& hasher, unsigned depth, std::span<const Leaf> leaves) {
    if (leaves.empty()) return {};
    if (leaves.size() == 1) return hasher.leaf(leaves.front());
    const std::size_t split = split_at_bit(leaves, depth);
    const auto left = join_leaves(hasher, depth + 1, leaves.first(split));
    const auto right = join_leaves(hasher, depth + 1, leaves.subspan(split));
    return hasher.join(depth, left, right);
}

// The node at `depth` over the 1, 2, 4 or 8 nodes, from left to right, log2 as many levels below;
// overwrites them.
template <class Hasher>
typename Hasher::Ref join_nodes(Hasher& hasher,
                                unsigned depth,
                                std::span<typename Hasher::Ref> nodes) {
    auto level = static_cast<unsigned>(std::bit_width(nodes.size())) - 1;
    while (level-- > 0)
        for (std::size_t i = 0; i < (std::size_t{1} << level); ++i)
            nodes[i] = hasher.join(depth + level, nodes[2 * i], nodes[2 * i + 1]);
    return nodes[0];
}

// The node at the top of a page.
template <class Hasher>
typename Hasher::Ref join_page(Hasher& hasher, unsigned depth, const Page& page) {
    if (const auto* bucket = std::get_if<Bucket>(&page))
        return join_leaves(hasher, depth, std::span<const Leaf>(*bucket));
    std::array<typename Hasher::Ref, kFanout> nodes;
    for (unsigned i = 0; i < kFanout; ++i)
        nodes[i] = hasher.known(std::get<Branch>(page).children[i].node());
    return join_nodes<Hasher>(hasher, depth, nodes);
}

}  // namespace draco::sparse_merkle
