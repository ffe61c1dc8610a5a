#include "draco/sparse_merkle/tree.hpp"

#include "draco/base/text_encoding.hpp"

#include "hash_schedule.hpp"
#include "key_bits.hpp"
#include "page.hpp"
#include "page_update.hpp"
#include "prover.hpp"
#include "upper.hpp"

#include <algorithm>
#include <utility>

namespace draco::sparse_merkle {
namespace {

// The changes below one node at depth kUpperLevels, and its page.
struct Group {
    PageId id;
    Node node;
    std::span<const Change> changes;
    std::optional<Page> page;
};

Result<void> check_ascending(std::span<const Change> changes) {
    for (std::size_t i = 1; i < changes.size(); ++i)
        if (changes[i].key <= changes[i - 1].key)
            return fail(Errc::InvalidArgument,
                        "Merkle update: change " + std::to_string(i) +
                            " does not ascend; sort the changes and keep one for each key");
    return {};
}

Node upper_node(UpperCursor cursor, const Key& key) {
    while (cursor.depth() < kUpperLevels) cursor.descend(key_bit(key, cursor.depth()) ? 1 : 0);
    return cursor.node();
}

std::vector<Group> grouped(const UpperCursor& root, std::span<const Change> changes) {
    std::vector<Group> groups;
    groups.reserve(changes.size());
    while (!changes.empty()) {
        const Key& first = changes.front().key;
        const std::size_t count = count_sharing(changes, kUpperLevels);
        groups.push_back(
            {PageId(kUpperLevels, first), upper_node(root, first), changes.first(count), {}});
        changes = changes.subspan(count);
    }
    return groups;
}

Result<void> read_pages(const PageStore& store, std::span<Group> groups) {
    std::vector<PageId> ids;
    std::vector<Group*> readers;
    for (Group& group : groups) {
        if (group.node.kind == Node::Kind::Empty) continue;
        ids.push_back(group.id);
        readers.push_back(&group);
    }
    DRACO_TRY_VOID(store.read(ids, [&](std::size_t i, ByteView bytes) -> Result<void> {
        DRACO_TRY(page, decode_page(ids[i], bytes));
        readers[i]->page = std::move(page);
        return {};
    }));
    for (const Group* group : readers) {
        if (!group->page) return corrupt_page(group->id, "the page is missing");
        if ((leaf_count(*group->page) == 1) != (group->node.kind == Node::Kind::Leaf))
            return corrupt_page(group->id, "its leaf count belongs to another version");
    }
    return {};
}

}  // namespace

template <NodeHash H>
Result<Tree<H>> Tree<H>::open(const PageStore& store, const Digest& expected_root) {
    constexpr std::size_t kPagesPerBatch = 4096;
    detail::UpperLevels upper;
    std::optional<PageId> last;
    HashSchedule<H> schedule;
    std::vector<UpperChange<H>> loaded;
    const auto flush = [&] {
        if (!loaded.empty()) upper = UpperUpdate<H>::apply(upper, loaded, schedule);
        schedule = {};
        loaded.clear();
    };
    DRACO_TRY_VOID(store.scan(kUpperLevels, [&](const PageId& id, ByteView bytes) -> Result<void> {
        if (id.depth() != kUpperLevels || (last && id <= *last))
            return corrupt_page(id, "it is out of order in the store's scan");
        last = id;
        DRACO_TRY(page, decode_page(id, bytes));
        loaded.push_back({id.first_key(), join_page(schedule, kUpperLevels, page)});
        if (loaded.size() == kPagesPerBatch) flush();
        return {};
    }));
    flush();
    if (upper.root.digest != expected_root)
        return fail(Errc::Corrupt,
                    "the stored Merkle tree has root " + to_hex(upper.root.digest.view()) +
                        " instead of " + to_hex(expected_root.view()) +
                        "; restore the state or rebuild the tree");
    return Tree(std::move(upper));
}

template <NodeHash H>
Result<typename Tree<H>::Update> Tree<H>::update(const PageStore& store,
                                                 std::span<const Change> changes) const {
    DRACO_TRY_VOID(check_ascending(changes));
    std::vector<Group> groups = grouped(UpperCursor(upper_), changes);
    DRACO_TRY_VOID(read_pages(store, groups));

    HashSchedule<H> schedule;
    PageUpdate<H> pages(store, schedule);
    std::vector<UpperChange<H>> changed;
    changed.reserve(groups.size());
    for (Group& group : groups) {
        DRACO_TRY(draft, pages.draft(group.id, std::move(group.page), group.changes));
        if (draft.changed) changed.push_back({group.id.first_key(), pages.emit(group.id, draft)});
    }
    if (changed.empty()) return Update{*this, {}};
    Tree next(UpperUpdate<H>::apply(upper_, changed, schedule));
    return Update{std::move(next), pages.take_writes()};
}

template <NodeHash H>
Result<Bytes> Tree<H>::prove(const PageStore& store, const Key& key) const {
    return Prover<H>(store, key).prove(upper_);
}

template class Tree<Sha256Nodes>;
template class Tree<Keccak256Nodes>;

}  // namespace draco::sparse_merkle
