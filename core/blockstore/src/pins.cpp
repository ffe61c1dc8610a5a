#include "store.hpp"

namespace draco::blockstore {

using types::ContentHash;

Result<> Store::pin(const ContentHash& hash) {
    const std::lock_guard pinning(pinning_);
    std::shared_ptr<Entry> entry;
    {
        const std::lock_guard lock(mutex_);
        entry = index_.find(hash);
        if (!entry) return not_here(hash);
        if (entry->pinned) return {};
        index_.hold(*entry);
    }
    // Not evicted before it is pinned.
    const Hold hold(shared_from_this(), entry);
    DRACO_TRY(file, disk_.open(layout_.pin(hash), OpenMode::Create));
    file.reset();
    if (auto synced = disk_.sync_directory(layout_.pins()); !synced) {
        // If this fails too, the next start finds it pinned.
        static_cast<void>(disk_.remove(layout_.pin(hash)));
        return synced;
    }
    const std::lock_guard lock(mutex_);
    index_.pin(hash);
    return {};
}

Result<> Store::unpin(const ContentHash& hash) {
    const std::lock_guard pinning(pinning_);
    {
        const std::lock_guard lock(mutex_);
        if (!index_.is_pinned(hash)) {
            if (index_.find(hash)) return {};
            return not_here(hash);
        }
    }
    return remove_pin(hash);
}

Result<> Store::remove_pin(const ContentHash& hash) {
    auto removed = disk_.remove(layout_.pin(hash));
    if (!removed && removed.error().code != Errc::NotFound) return removed;
    DRACO_TRY_VOID(disk_.sync_directory(layout_.pins()));
    const std::lock_guard lock(mutex_);
    index_.unpin(hash);
    return {};
}

Result<> Store::remove(const ContentHash& hash) {
    const std::lock_guard pinning(pinning_);
    std::shared_ptr<Entry> entry;
    bool is_pinned = false;
    {
        const std::lock_guard lock(mutex_);
        entry = index_.find(hash);
        if (!entry) return not_here(hash);
        is_pinned = entry->pinned;
        index_.hold(*entry);
    }
    const Hold hold(shared_from_this(), entry);
    if (is_pinned) DRACO_TRY_VOID(remove_pin(hash));
    bool was_there = false;
    {
        const std::lock_guard lock(mutex_);
        was_there = index_.take_out(*entry, Departure::Removed);
    }
    if (was_there) DRACO_TRY_VOID(remove_file(*entry));
    return disk_.sync_directory(layout_.shard(hash));
}

}  // namespace draco::blockstore
