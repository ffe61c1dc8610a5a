#pragma once
// Collects the siblings on the path of one key.

#include "draco/base/result.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/proof.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include "hash_schedule.hpp"
#include "key_bits.hpp"
#include "page.hpp"
#include "proof_encoding.hpp"
#include "upper.hpp"

#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace draco::sparse_merkle {

template <NodeHash H>
class Prover {
public:
    Prover(const PageStore& store, const Key& key) : store_(store), key_(key) {}

    Result<Bytes> prove(const detail::UpperLevels& upper) {
        UpperCursor cursor(upper);
        while (cursor.node().kind == Node::Kind::Inner && cursor.depth() < kUpperLevels) {
            const bool bit = key_bit(key_, cursor.depth());
            siblings_.push_back(cursor.child(bit ? 0 : 1).digest);
            cursor.descend(bit ? 1 : 0);
        }
        if (cursor.node().kind == Node::Kind::Leaf) {
            DRACO_TRY_VOID(find_upper_leaf(cursor));
        } else if (cursor.node().kind == Node::Kind::Inner) {
            DRACO_TRY_VOID(walk_pages());
        }
        return checked(upper.root.digest);
    }

private:
    // The leaf at the cursor may be on another path than the key's.
    Result<void> find_upper_leaf(UpperCursor cursor) {
        Key path = key_;
        for (unsigned depth = cursor.depth(); depth < kUpperLevels; ++depth) {
            const unsigned bit = cursor.child(0).kind == Node::Kind::Empty ? 1 : 0;
            set_key_bit(path, depth, bit != 0);
            cursor.descend(bit);
        }
        return take_leaf(PageId(kUpperLevels, path));
    }

    // The page holds exactly one leaf, which ends the path.
    Result<void> take_leaf(const PageId& id) {
        DRACO_TRY(page, read_page(store_, id, 1));
        slot_ = std::get<Bucket>(page).front();
        return {};
    }

    Result<void> walk_pages() {
        std::optional<std::uint64_t>
            expected;  // leaves; nothing says how many are in the first page
        for (unsigned depth = kUpperLevels;; depth += kPageLevels) {
            const PageId id(static_cast<std::uint8_t>(depth), key_);
            DRACO_TRY(page, read_page(store_, id, expected));
            if (const auto* bucket = std::get_if<Bucket>(&page)) {
                walk_bucket(depth, *bucket);
                return {};
            }
            const auto [first, count] = walk_branch(depth, std::get<Branch>(page));
            if (count == 0) return {};
            if (count == 1) return take_leaf(child_id(id, first));
            expected = count;
        }
    }

    void walk_bucket(unsigned depth, std::span<const Leaf> leaves) {
        for (; leaves.size() > 1; ++depth) {
            const std::size_t split = split_at_bit(leaves, depth);
            const auto left = leaves.first(split);
            const auto right = leaves.subspan(split);
            const bool bit = key_bit(key_, depth);
            siblings_.push_back(join_leaves(hasher_, depth + 1, bit ? left : right).digest);
            leaves = bit ? right : left;
        }
        if (!leaves.empty()) slot_ = leaves.front();
    }

    // Children [first, first + width) of a branch: those below one node.
    struct Slot {
        unsigned first = 0;
        unsigned width = kFanout;
    };

    static std::uint64_t count_in(const Branch& branch, Slot slot) {
        std::uint64_t count = 0;
        for (unsigned i = 0; i < slot.width; ++i) count += branch.children[slot.first + i].count;
        return count;
    }

    // Returns how many leaves are where the walk within a branch ends, and the first child that has
    // any.
    std::pair<unsigned, std::uint64_t> walk_branch(unsigned depth, const Branch& branch) {
        std::array<Node, kFanout> nodes;
        for (unsigned i = 0; i < kFanout; ++i) nodes[i] = branch.children[i].node();
        Slot slot;
        for (; slot.width > 1 && count_in(branch, slot) > 1; ++depth) {
            slot.width /= 2;
            const unsigned right = slot.first + slot.width;
            const bool bit = key_bit(key_, depth);
            const std::span<Node> other(&nodes[bit ? slot.first : right], slot.width);
            siblings_.push_back(join_nodes(hasher_, depth + 1, other).digest);
            if (bit) slot.first = right;
        }
        const std::uint64_t count = count_in(branch, slot);
        while (count > 0 && branch.children[slot.first].count == 0) ++slot.first;
        return {slot.first, count};
    }

    // Damage that decodes shows here: the proof must lead to the root.
    Result<Bytes> checked(const Digest& root) const {
        const bool present = slot_ && slot_->key == key_;
        const ProofKind kind = present ? ProofKind::Present
                               : slot_ ? ProofKind::AbsentOther
                                       : ProofKind::AbsentEmpty;
        Bytes proof = encode_proof(kind, siblings_, present ? std::nullopt : slot_);
        const auto verdict = present ? verify_membership<H>(root, key_, slot_->value_hash, proof)
                                     : verify_absence<H>(root, key_, proof);
        if (!verdict)
            return corrupt_page(PageId(kUpperLevels, key_),
                                "this page or one below it does not hash to the tree's root");
        return proof;
    }

    const PageStore& store_;
    const Key& key_;
    DirectHash<H> hasher_;
    std::vector<Digest> siblings_;  // from the root downwards
    std::optional<Leaf> slot_;
};

}  // namespace draco::sparse_merkle
