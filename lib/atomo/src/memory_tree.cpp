#include "memory_tree.hpp"

#include "draco/atomo/byte_order.hpp"
#include "draco/base/assert.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace draco::atomo {

namespace {

constexpr std::size_t kChildrenMax = 64;
constexpr std::size_t kCacheLineBytes = 64;

}  // namespace

// Child i holds the keys from lows[i] on, which is its smallest. All children have one height.
// A lookup touches what comes before `lows` only, unless prefixes are equal.
struct MemoryTree::Inner {
    std::size_t size = 0;  // of lows and children
    bool above_leaves = false;
    std::array<std::uint64_t, kChildrenMax> prefixes;  // of the lows
    std::array<const void*, kChildrenMax> targets;     // the words of a leaf, or an Inner
    std::vector<ByteView> lows;                        // into the first leaf below each child
    std::vector<Child> children;

    // Fetches into the cache what a lookup touches, all lines at once instead of one by one.
    void prefetch() const {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(this);
        for (std::size_t i = 0; i < offsetof(Inner, lows); i += kCacheLineBytes)
            __builtin_prefetch(bytes + i);
    }
};

namespace {

using Inner = MemoryTree::Inner;
using Child = MemoryTree::Child;

std::uint64_t prefix_of(ByteView key) {
    if (key.size() >= sizeof(std::uint64_t)) return load_be<std::uint64_t>(key.data());
    std::array<std::uint8_t, sizeof(std::uint64_t)> padded{};
    std::ranges::copy(key, padded.begin());
    return load_be<std::uint64_t>(padded.data());
}

std::size_t entry_bytes(const StorageEntry& entry) {
    return entry.key.size() + entry.value.size();
}

// How many of the indices below `size` `holds` is true for: all up to some index. Branches do not
// depend on what it returns, because nobody could predict them.
template <class Holds>
std::size_t count_leading(std::size_t size, Holds holds) {
    std::size_t from = 0;
    while (size > 1) {
        const std::size_t half = size / 2;
        from += holds(from + half - 1) ? half : 0;
        size -= half;
    }
    return from + (size == 1 && holds(from) ? 1 : 0);
}

// How many keys are below the one sought, if they ascend: prefixes decide, and keys (by
// `key_below`) among those with an equal prefix.
template <class PrefixAt, class KeyBelow>
std::size_t count_keys_below(std::size_t size,
                             std::uint64_t prefix,
                             PrefixAt prefix_at,
                             KeyBelow key_below) {
    const std::size_t from =
        count_leading(size, [&](std::size_t i) { return prefix_at(i) < prefix; });
    if (from == size || prefix_at(from) != prefix) return from;
    const std::size_t equals =
        count_leading(size - from, [&](std::size_t i) { return prefix_at(from + i) == prefix; });
    return from + count_leading(equals, [&](std::size_t i) { return key_below(from + i); });
}

// The number of lows that are less than `key` (or not greater, with `OrEqual`).
template <bool OrEqual>
std::size_t count_below(const Inner& inner, ByteView key) {
    return count_keys_below(
        inner.size,
        prefix_of(key),
        [&](std::size_t i) { return inner.prefixes[i]; },
        [&](std::size_t i) {
            return OrEqual ? !bytes_less(key, inner.lows[i]) : bytes_less(inner.lows[i], key);
        });
}

ByteView low_of(const Child& child) {
    if (const auto* leaf = std::get_if<PackedLeaf>(&child)) return leaf->entry(0).key;
    return std::get<std::shared_ptr<const Inner>>(child)->lows.front();
}

void pack(std::span<const StorageEntry> entries, std::vector<Child>& out) {
    std::size_t bytes = 0;
    for (const auto& entry : entries) bytes += entry_bytes(entry);
    const std::size_t leaves =
        1 + std::max((entries.size() - 1) / PackedLeaf::kEntriesMax, bytes / PackedLeaf::kBytesMax);
    const std::size_t entries_each = (entries.size() + leaves - 1) / leaves;
    while (!entries.empty()) {
        std::size_t count = 1;
        std::size_t leaf_bytes = entry_bytes(entries.front());
        while (count < std::min(entries.size(), entries_each) &&
               leaf_bytes + entry_bytes(entries[count]) <= PackedLeaf::kBytesMax)
            leaf_bytes += entry_bytes(entries[count++]);
        out.emplace_back(PackedLeaf(entries.first(count)));
        entries = entries.subspan(count);
    }
}

std::optional<ByteView> value_in(const LeafView& leaf, ByteView key) {
    const std::size_t index = leaf.lower_bound(key);
    if (index == leaf.size()) return std::nullopt;
    const StorageEntry entry = leaf.entry(index);
    if (!equal(entry.key, key)) return std::nullopt;
    return entry.value;
}

// The leaves that hold what `old` (null: nothing) holds after `writes`.
void replace_leaf(const PackedLeaf* old,
                  std::span<const StorageWrite> writes,
                  std::vector<Child>& out) {
    std::vector<StorageEntry> merged;
    const std::size_t old_size = old == nullptr ? 0 : old->size();
    merged.reserve(old_size + writes.size());
    std::size_t kept = 0;
    for (const auto& write : writes) {
        const std::size_t place = old == nullptr ? 0 : old->lower_bound(write.key);
        while (kept < place) merged.push_back(old->entry(kept++));
        if (kept < old_size && equal(old->entry(kept).key, write.key)) ++kept;
        if (write.value) merged.push_back({write.key, *write.value});
    }
    while (kept < old_size) merged.push_back(old->entry(kept++));
    if (!merged.empty()) pack(merged, out);
}

std::shared_ptr<const Inner> make_inner(std::span<Child> children) {
    auto inner = std::make_shared<Inner>();
    inner->lows.reserve(children.size());
    inner->children.reserve(children.size());
    for (Child& child : children) {
        const std::size_t i = inner->size++;
        inner->prefixes[i] = prefix_of(low_of(child));
        if (const auto* leaf = std::get_if<PackedLeaf>(&child))
            inner->targets[i] = leaf->words();
        else
            inner->targets[i] = std::get<std::shared_ptr<const Inner>>(child).get();
        inner->lows.push_back(low_of(child));
        inner->children.push_back(std::move(child));
    }
    inner->above_leaves = std::holds_alternative<PackedLeaf>(inner->children.front());
    return inner;
}

void pack_inner(std::span<Child> children, std::vector<Child>& out) {
    const std::size_t inners = (children.size() + kChildrenMax - 1) / kChildrenMax;
    for (std::size_t i = 0; i < inners; ++i) {
        const std::size_t from = children.size() * i / inners;
        const std::size_t to = children.size() * (i + 1) / inners;
        out.emplace_back(make_inner(children.subspan(from, to - from)));
    }
}

// One node in place of two neighbours that are both at most half full, or nullopt.
std::optional<Child> merge_small(const Child& left, const Child& right) {
    const auto* leaf = std::get_if<PackedLeaf>(&left);
    if (leaf == nullptr) {
        std::vector<Child> children = std::get<std::shared_ptr<const Inner>>(left)->children;
        const auto& more = std::get<std::shared_ptr<const Inner>>(right)->children;
        if (children.size() + more.size() > kChildrenMax / 2) return std::nullopt;
        children.insert(children.end(), more.begin(), more.end());
        return make_inner(children);
    }
    const auto& next = std::get<PackedLeaf>(right);
    if (leaf->size() + next.size() > PackedLeaf::kEntriesMax / 2 ||
        leaf->data_bytes() + next.data_bytes() > PackedLeaf::kBytesMax / 2)
        return std::nullopt;
    std::vector<StorageEntry> entries;
    entries.reserve(leaf->size() + next.size());
    for (std::size_t i = 0; i < leaf->size(); ++i) entries.push_back(leaf->entry(i));
    for (std::size_t i = 0; i < next.size(); ++i) entries.push_back(next.entry(i));
    return PackedLeaf(entries);
}

void append_merging(std::vector<Child>& to, Child child) {
    if (!to.empty()) {
        if (auto merged = merge_small(to.back(), child)) {
            to.back() = std::move(*merged);
            return;
        }
    }
    to.push_back(std::move(child));
}

// The inner nodes, of the height of `inner`, that hold what it holds after `writes`. Recursion ends
// with the height of the tree.
void replace_inner(const Inner& inner,  // NOLINT(misc-no-recursion): bounded by the height
                   std::span<const StorageWrite> writes,
                   std::vector<Child>& out) {
    std::vector<Child> children;
    children.reserve(inner.children.size() + 1);
    std::vector<Child> replacements;
    if (inner.children.empty()) replace_leaf(nullptr, writes, children);
    for (std::size_t i = 0; i < inner.children.size(); ++i) {
        const auto end = i + 1 == inner.children.size()
                             ? writes.end()
                             : std::ranges::lower_bound(
                                   writes, inner.lows[i + 1], bytes_less, &StorageWrite::key);
        const auto here = writes.first(static_cast<std::size_t>(end - writes.begin()));
        writes = writes.subspan(here.size());
        if (here.empty()) {
            append_merging(children, inner.children[i]);
            continue;
        }
        replacements.clear();
        if (const auto* leaf = std::get_if<PackedLeaf>(&inner.children[i]))
            replace_leaf(leaf, here, replacements);
        else
            replace_inner(
                *std::get<std::shared_ptr<const Inner>>(inner.children[i]), here, replacements);
        for (Child& child : replacements) append_merging(children, std::move(child));
    }
    pack_inner(children, out);
}

}  // namespace

PackedLeaf::PackedLeaf(std::span<const StorageEntry> entries) : PackedLeaf(pack(entries)) {}

std::shared_ptr<const std::uint64_t[]> PackedLeaf::pack(std::span<const StorageEntry> entries) {
    std::size_t bytes = 0;
    for (const auto& entry : entries) bytes += entry_bytes(entry);
    const std::size_t table_words = 1 + (entries.size() + 1) * sizeof(Slot) / sizeof(std::uint64_t);
    const std::size_t data_words = (bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
    auto words = std::make_shared_for_overwrite<std::uint64_t[]>(table_words + data_words);
    words[0] = entries.size();
    auto* data = reinterpret_cast<std::uint8_t*>(words.get() + table_words);
    std::uint64_t* slot = words.get() + 1;
    std::uint32_t offset = 0;
    for (const auto& [key, value] : entries) {
        new (slot) Slot{prefix_of(key), offset, static_cast<std::uint16_t>(key.size())};
        slot += sizeof(Slot) / sizeof(std::uint64_t);
        std::ranges::copy(key, data + offset);
        std::ranges::copy(value, data + offset + key.size());
        offset += static_cast<std::uint32_t>(key.size() + value.size());
    }
    new (slot) Slot{0, offset, 0};
    return words;
}

StorageEntry LeafView::entry(std::size_t index) const {
    const Slot& slot = slots()[index];
    const std::uint8_t* key = data() + slot.offset;
    return {{key, slot.key_bytes}, {key + slot.key_bytes, data() + slots()[index + 1].offset}};
}

void LeafView::prefetch() const {
    constexpr std::size_t kLineWords = kCacheLineBytes / sizeof(std::uint64_t);
    constexpr std::size_t kTableWords = 1 + kEntriesMax * sizeof(Slot) / sizeof(std::uint64_t);
    for (std::size_t word = 0; word < kTableWords; word += kLineWords)
        __builtin_prefetch(words_ + word);
}

void LeafView::prefetch_entry(ByteView key) const {
    const std::uint64_t prefix = prefix_of(key);
    const std::size_t index =
        count_leading(size(), [&](std::size_t i) { return slots()[i].prefix < prefix; });
    const std::uint8_t* from = data() + slots()[index].offset;
    const std::uint8_t* to = data() + slots()[std::min(index + 1, size())].offset;
    for (; from < to; from += kCacheLineBytes) __builtin_prefetch(from);
}

std::size_t LeafView::lower_bound(ByteView key) const {
    return count_keys_below(
        size(),
        prefix_of(key),
        [this](std::size_t i) { return slots()[i].prefix; },
        [&](std::size_t i) { return bytes_less(entry(i).key, key); });
}

MemoryTree::MemoryTree() : root_(std::make_shared<Inner>()) {}

MemoryTree MemoryTree::with(std::span<const StorageWrite> writes) const {
    std::vector<Child> top;
    replace_inner(*root_, writes, top);
    while (top.size() > 1) {
        std::vector<Child> above;
        pack_inner(top, above);
        top = std::move(above);
    }
    if (top.empty()) return {};
    auto root = std::get<std::shared_ptr<const Inner>>(std::move(top.front()));
    while (root->children.size() == 1) {
        const auto* only = std::get_if<std::shared_ptr<const Inner>>(&root->children.front());
        if (only == nullptr) break;
        root = std::shared_ptr<const Inner>(*only);
    }
    return MemoryTree(std::move(root));
}

std::optional<ByteView> MemoryTree::find(ByteView key) const {
    const Inner* inner = root_.get();
    while (true) {
        const std::size_t upto = count_below<true>(*inner, key);
        if (upto == 0) return std::nullopt;
        const void* target = inner->targets[upto - 1];
        if (inner->above_leaves) {
            const LeafView leaf(static_cast<const std::uint64_t*>(target));
            leaf.prefetch();
            return value_in(leaf, key);
        }
        inner = static_cast<const Inner*>(target);
        inner->prefetch();
    }
}

void MemoryTree::find_many(std::span<const ByteView> keys,
                           std::span<std::optional<ByteView>> values) const {
    while (!keys.empty()) {
        const std::size_t count = std::min(keys.size(), kSideBySide);
        find_group(keys.first(count), values.first(count));
        keys = keys.subspan(count);
        values = values.subspan(count);
    }
}

// All go down level by level, for all leaves have one depth: what one will look at is on its way
// from memory while the others look at theirs.
void MemoryTree::find_group(std::span<const ByteView> keys,
                            std::span<std::optional<ByteView>> values) const {
    std::array<const void*, kSideBySide> at;  // an Inner, at last the words of a leaf; null: absent
    at.fill(root_.get());
    for (bool reached_leaves = false; !reached_leaves;) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (at[i] == nullptr) continue;
            const auto& inner = *static_cast<const Inner*>(at[i]);
            const std::size_t upto = count_below<true>(inner, keys[i]);
            at[i] = upto == 0 ? nullptr : inner.targets[upto - 1];
            reached_leaves = inner.above_leaves;
            if (at[i] == nullptr) continue;
            if (reached_leaves)
                LeafView(static_cast<const std::uint64_t*>(at[i])).prefetch();
            else
                static_cast<const Inner*>(at[i])->prefetch();
        }
        reached_leaves = reached_leaves || std::ranges::all_of(at, [](auto* p) { return !p; });
    }
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (at[i] != nullptr)
            LeafView(static_cast<const std::uint64_t*>(at[i])).prefetch_entry(keys[i]);
    for (std::size_t i = 0; i < keys.size(); ++i)
        values[i] = at[i] == nullptr
                        ? std::nullopt
                        : value_in(LeafView(static_cast<const std::uint64_t*>(at[i])), keys[i]);
}

std::optional<MemoryTree::Place> MemoryTree::first_from(ByteView key) const {
    const Inner* inner = root_.get();
    std::optional<ByteView> next_low;  // the first key right of the path
    while (!inner->children.empty()) {
        const std::size_t upto = std::max<std::size_t>(count_below<true>(*inner, key), 1);
        if (upto < inner->lows.size()) next_low = inner->lows[upto];
        const Child& child = inner->children[upto - 1];
        if (const auto* leaf = std::get_if<PackedLeaf>(&child)) {
            const std::size_t index = leaf->lower_bound(key);
            if (index < leaf->size()) return Place{leaf, index};
            if (!next_low) return std::nullopt;
            key = *next_low;  // descend once more, to the neighbour on the right
            next_low.reset();
            inner = root_.get();
            continue;
        }
        inner = std::get_if<std::shared_ptr<const Inner>>(&child)->get();
    }
    return std::nullopt;
}

std::optional<MemoryTree::Place> MemoryTree::last_below(ByteView key) const {
    const Inner* inner = root_.get();
    while (true) {
        const std::size_t below = count_below<false>(*inner, key);
        if (below == 0) return std::nullopt;
        const Child& child = inner->children[below - 1];
        if (const auto* leaf = std::get_if<PackedLeaf>(&child))
            return Place{leaf, leaf->lower_bound(key) - 1};
        inner = std::get_if<std::shared_ptr<const Inner>>(&child)->get();
    }
}

std::optional<MemoryTree::Place> MemoryTree::last() const {
    const Inner* inner = root_.get();
    while (!inner->children.empty()) {
        const Child& child = inner->children.back();
        if (const auto* leaf = std::get_if<PackedLeaf>(&child))
            return Place{leaf, leaf->size() - 1};
        inner = std::get_if<std::shared_ptr<const Inner>>(&child)->get();
    }
    return std::nullopt;
}

}  // namespace draco::atomo
