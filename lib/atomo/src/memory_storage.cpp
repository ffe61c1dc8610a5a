#include "draco/atomo/memory_storage.hpp"

#include "draco/atomo/byte_order.hpp"

#include "memory_tree.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace draco::atomo {
namespace {

class MemoryCursor final : public StorageCursor {
public:
    MemoryCursor(const MemoryTree& tree, KeyInterval interval, Order order)
        : tree_(tree), interval_(std::move(interval)), order_(order) {}

    Result<std::optional<StorageEntry>> next() override {
        return order_ == Order::Ascending ? next_ascending() : next_descending();
    }

private:
    std::optional<StorageEntry> next_ascending() {
        if (place_ && ++place_->index == place_->leaf->size()) {
            Bytes after = to_bytes(place_->leaf->entry(place_->index - 1).key);
            after.push_back(0);  // the successor of a byte string
            place_ = tree_.first_from(after);
        } else if (!place_ && !started_) {
            place_ = tree_.first_from(interval_.from);
        }
        started_ = true;
        if (!place_) return std::nullopt;
        const StorageEntry entry = place_->leaf->entry(place_->index);
        if (interval_.to && !bytes_less(entry.key, *interval_.to)) return end();
        return entry;
    }

    std::optional<StorageEntry> next_descending() {
        if (place_ && place_->index > 0)
            --place_->index;
        else if (place_)
            place_ = tree_.last_below(place_->leaf->entry(0).key);
        else if (!started_)
            place_ = interval_.to ? tree_.last_below(*interval_.to) : tree_.last();
        started_ = true;
        if (!place_) return std::nullopt;
        const StorageEntry entry = place_->leaf->entry(place_->index);
        if (bytes_less(entry.key, interval_.from)) return end();
        return entry;
    }

    std::nullopt_t end() {
        place_.reset();
        return std::nullopt;
    }

    const MemoryTree& tree_;
    const KeyInterval interval_;
    const Order order_;
    std::optional<MemoryTree::Place> place_;  // of the entry last returned
    bool started_ = false;
};

class MemorySnapshot final : public StorageSnapshot {
public:
    explicit MemorySnapshot(MemoryTree tree) : tree_(std::move(tree)) {}

    Result<std::optional<ByteView>> get(ByteView key, Bytes& /*scratch*/) const override {
        return tree_.find(key);
    }

    Result<> get_many(std::span<const ByteView> keys, const Visitor& visit) const override {
        std::vector<std::optional<ByteView>> values(keys.size());
        tree_.find_many(keys, values);
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (values[i]) DRACO_TRY_VOID(visit(i, *values[i]));
        return {};
    }

    std::unique_ptr<StorageCursor> scan(const KeyInterval& interval, Order order) const override {
        return std::make_unique<MemoryCursor>(tree_, interval, order);
    }

private:
    const MemoryTree tree_;
};

class MemoryStorage final : public Storage {
public:
    Result<std::shared_ptr<const StorageSnapshot>> snapshot() const override {
        const std::scoped_lock lock(mutex_);
        return std::make_shared<MemorySnapshot>(tree_);
    }

    Result<> commit(std::span<const StorageWrite> writes) override {
        for (const auto& write : writes)
            if (write.key.size() > PackedLeaf::kKeyBytesMax)
                return fail(Errc::InvalidArgument,
                            "a key of " + std::to_string(write.key.size()) +
                                " bytes; memory storage takes at most " +
                                std::to_string(PackedLeaf::kKeyBytesMax));
        MemoryTree next = tree_.with(writes);
        const std::scoped_lock lock(mutex_);
        std::swap(tree_, next);  // the old one is freed after the lock
        return {};
    }

    Result<> sync() override { return {}; }

    bool read_only() const override { return false; }

    std::size_t page_cache_bytes() const override { return 0; }

private:
    mutable std::mutex mutex_;  // of the pointer in tree_, for snapshot() during commit()
    MemoryTree tree_;
};

}  // namespace

std::unique_ptr<Storage> open_memory_storage() {
    return std::make_unique<MemoryStorage>();
}

}  // namespace draco::atomo
