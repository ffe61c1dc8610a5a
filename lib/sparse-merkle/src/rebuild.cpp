#include "draco/sparse_merkle/rebuild.hpp"

#include "hash_schedule.hpp"
#include "key_bits.hpp"
#include "page.hpp"

#include <string>
#include <utility>

namespace draco::sparse_merkle {
namespace {

std::unexpected<Error> not_ascending(const char* who) {
    return fail(Errc::InvalidArgument,
                std::string(who) + ": keys do not ascend; sort the leaves and drop duplicates");
}

// A store without pages.
class NoPages final : public PageStore {
public:
    Result<void> read(std::span<const PageId>, const ReadVisitor&) const override { return {}; }

    Result<void> scan(std::uint8_t, const ScanVisitor&) const override { return {}; }
};

// Recursion is at most kKeyBits / kPageLevels deep: a deeper branch does not decode.
template <NodeHash H>
Result<void> visit_leaves(const PageStore& store,
                          const PageId& id,
                          const Page& page,
                          const LeafVisitor& visit) {
    if (const auto* bucket = std::get_if<Bucket>(&page)) {
        for (const Leaf& leaf : *bucket) DRACO_TRY_VOID(visit(leaf));
        return {};
    }
    const auto& branch = std::get<Branch>(page);
    for (unsigned i = 0; i < kFanout; ++i) {
        if (branch.children[i].count == 0) continue;
        const PageId below = child_id(id, i);
        DRACO_TRY(child, read_page(store, below, branch.children[i].count));
        DirectHash<H> hasher;
        if (join_page(hasher, below.depth(), child).digest != branch.children[i].digest)
            return corrupt_page(below, "it does not hash to what its parent says");
        DRACO_TRY_VOID(visit_leaves<H>(store, below, child, visit));
    }
    return {};
}

}  // namespace

template <NodeHash H>
Result<void> RootBuilder<H>::add(const Leaf& leaf) {
    if (last_) {
        if (leaf.key <= last_->key) return not_ascending("Merkle root");
        const unsigned split = common_bits(last_->key, leaf.key);
        const Node left = close(split + 1, stack_);
        stack_.push_back({split, left});
    }
    last_ = leaf;
    return {};
}

template <NodeHash H>
Digest RootBuilder<H>::root() const {
    if (!last_) return kEmptyDigest;
    auto stack = stack_;
    return close(0, stack).digest;
}

template <NodeHash H>
Node RootBuilder<H>::close(unsigned depth, std::vector<Pending>& stack) const {
    DirectHash<H> hasher;
    Node node = hasher.leaf(*last_);
    unsigned at = kKeyBits;  // of node; means nothing while it is a leaf
    const auto rise = [&](unsigned to) {
        for (; at > to; --at) {
            if (node.kind == Node::Kind::Leaf) continue;
            const bool right = key_bit(last_->key, at - 1);
            node = right ? hasher.join(at - 1, {}, node) : hasher.join(at - 1, node, {});
        }
    };
    while (!stack.empty() && stack.back().split >= depth) {
        rise(stack.back().split + 1);
        node = hasher.join(stack.back().split, stack.back().left, node);
        at = stack.back().split;
        stack.pop_back();
    }
    rise(depth);
    return node;
}

template <NodeHash H>
Result<void> for_each_leaf(const PageStore& store, const LeafVisitor& visit) {
    return store.scan(kUpperLevels, [&](const PageId& id, ByteView bytes) -> Result<void> {
        DRACO_TRY(page, decode_page(id, bytes));
        return visit_leaves<H>(store, id, page, visit);
    });
}

// An update of the empty tree reads no pages, so each batch builds whole subtrees of its own.
template <NodeHash H>
Result<Tree<H>> rebuild(const LeafSource& leaves, const PageSink& sink) {
    constexpr std::size_t kBatch = 4096;
    Tree<H> tree;
    std::vector<Change> batch;
    std::optional<Key> last;
    const auto flush = [&]() -> Result<void> {
        DRACO_TRY(update, tree.update(NoPages{}, batch));
        tree = std::move(update.next);
        batch.clear();
        return sink(std::move(update.writes));
    };
    for (;;) {
        DRACO_TRY(leaf, leaves());
        if (!leaf) break;
        if (last && leaf->key <= *last) return not_ascending("Merkle rebuild");
        if (batch.size() >= kBatch && common_bits(leaf->key, *last) < kUpperLevels)
            DRACO_TRY_VOID(flush());
        last = leaf->key;
        batch.push_back({leaf->key, leaf->value_hash});
    }
    if (!batch.empty()) DRACO_TRY_VOID(flush());
    return tree;
}

template class RootBuilder<Sha256Nodes>;
template Result<void> for_each_leaf<Sha256Nodes>(const PageStore&, const LeafVisitor&);
template Result<Tree<Sha256Nodes>> rebuild<Sha256Nodes>(const LeafSource&, const PageSink&);
template class RootBuilder<Keccak256Nodes>;
template Result<void> for_each_leaf<Keccak256Nodes>(const PageStore&, const LeafVisitor&);
template Result<Tree<Keccak256Nodes>> rebuild<Keccak256Nodes>(const LeafSource&, const PageSink&);

}  // namespace draco::sparse_merkle
