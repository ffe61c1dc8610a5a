#pragma once
// An ordered map that is never modified: `with` gives another map and shares what it did not touch.
// A B+ tree whose leaves are packed: one allocation holds a leaf's keys, values and a search table.

#include "draco/atomo/storage.hpp"
#include "draco/base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace draco::atomo {

// Leaf layout: a word with the number of entries n, n + 1 Slots, then for each entry its key and
// its value. The last slot only ends the last value.
class LeafView {
public:
    static constexpr std::size_t kKeyBytesMax = 0xFFFF;
    static constexpr std::size_t kEntriesMax = 32;
    static constexpr std::size_t kBytesMax = 4096;  // of keys and values, unless it has one entry

    explicit LeafView(const std::uint64_t* words) : words_(words) {}

    std::size_t size() const { return words_[0]; }

    std::size_t data_bytes() const { return slots()[size()].offset; }

    StorageEntry entry(std::size_t index) const;
    // Fetches the search table into the cache, all lines at once instead of one after the other.
    void prefetch() const;
    // Fetches into the cache what lower_bound() and entry() will look at for `key`. Needs the
    // table.
    void prefetch_entry(ByteView key) const;
    // The index of the first entry whose key is not less than `key`.
    std::size_t lower_bound(ByteView key) const;

    const std::uint64_t* words() const { return words_; }

protected:
    struct Slot {
        std::uint64_t prefix;  // the key's first 8 bytes as a number, zero-filled
        std::uint32_t offset;
        std::uint16_t key_bytes;
    };

    static_assert(sizeof(Slot) == 16 && alignof(Slot) == alignof(std::uint64_t));

private:
    const Slot* slots() const { return reinterpret_cast<const Slot*>(words_ + 1); }

    const std::uint8_t* data() const {
        return reinterpret_cast<const std::uint8_t*>(slots() + size() + 1);
    }

    const std::uint64_t* words_;
};

// A leaf that owns what it shows, shared by its copies.
class PackedLeaf : public LeafView {
public:
    // `entries` ascend strictly, are not empty and fit.
    explicit PackedLeaf(std::span<const StorageEntry> entries);

private:
    explicit PackedLeaf(std::shared_ptr<const std::uint64_t[]> words)
        : LeafView(words.get()), owner_(std::move(words)) {}

    static std::shared_ptr<const std::uint64_t[]> pack(std::span<const StorageEntry> entries);

    std::shared_ptr<const std::uint64_t[]> owner_;
};

class MemoryTree {
public:
    MemoryTree();

    // `writes` ascend strictly; keys have at most PackedLeaf::kKeyBytesMax bytes.
    MemoryTree with(std::span<const StorageWrite> writes) const;

    // Views are valid as long as a copy of this tree lives.
    std::optional<ByteView> find(ByteView key) const;
    // The same for each of `keys`, in any order. They are looked up side by side, so that one does
    // not wait for memory while the others could.
    void find_many(std::span<const ByteView> keys, std::span<std::optional<ByteView>> values) const;

    // A leaf and an index in it: the first entry that is not less than `key`, or the last that is.
    struct Place {
        const PackedLeaf* leaf;
        std::size_t index;
    };

    std::optional<Place> first_from(ByteView key) const;
    std::optional<Place> last_below(ByteView key) const;
    std::optional<Place> last() const;

    struct Inner;
    using Child = std::variant<PackedLeaf, std::shared_ptr<const Inner>>;

private:
    static constexpr std::size_t kSideBySide = 16;

    void find_group(std::span<const ByteView> keys,
                    std::span<std::optional<ByteView>> values) const;

    explicit MemoryTree(std::shared_ptr<const Inner> root) : root_(std::move(root)) {}

    std::shared_ptr<const Inner> root_;
};

}  // namespace draco::atomo
