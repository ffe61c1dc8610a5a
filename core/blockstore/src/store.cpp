#include "store.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "staged_file.hpp"
#include "stored_object.hpp"

namespace draco::blockstore {
namespace {

using types::ContentHash;

// Each attempt fails only because the same object came or went meanwhile.
constexpr int kCommitAttemptsMax = 8;

}  // namespace

Store::Store(Disk& disk, const Options& options, log::Log& log)
    : disk_(disk),
      layout_(options.directory),
      unsynced_bytes_max_(options.unsynced_bytes_max),
      log_(log, "blockstore"),
      index_({.bytes = options.bytes_max, .objects = options.objects_max}),
      tails_(options.trees_bytes_max) {}

// --- what is there

bool Store::has(const ContentHash& hash) const {
    const std::lock_guard lock(mutex_);
    return index_.find(hash) != nullptr;
}

std::vector<interfaces::ListedContent> Store::list(const std::optional<ContentHash>& after,
                                                   std::size_t count_max) const {
    const std::lock_guard lock(mutex_);
    return index_.list(after, count_max);
}

interfaces::StoreUsage Store::usage() const {
    const std::lock_guard lock(mutex_);
    return index_.usage();
}

Result<std::shared_ptr<const StoredObject>> Store::find(const ContentHash& hash, Use use) {
    std::shared_ptr<Entry> entry;
    std::shared_ptr<const ObjectTail> known;
    {
        const std::lock_guard lock(mutex_);
        entry = index_.find(hash);
        if (!entry) return not_here(hash);
        if (use == Use::Counts) index_.use(*entry);
        // Not to be dropped under the lock, which its destructor takes.
        if (auto shared = entry->shared.lock()) return shared;
        index_.hold(*entry);
        // Who looks for damage reads what the disk has.
        if (use == Use::Counts) known = tails_.find(hash);
    }
    return load(entry, std::move(known));
}

std::unexpected<Error> Store::not_here(const ContentHash& hash) const {
    return fail(Errc::NotFound, "no content " + to_hex(hash.view()) + " in " + layout_.root());
}

Result<std::shared_ptr<const StoredObject>> Store::load(const std::shared_ptr<Entry>& entry,
                                                        std::shared_ptr<const ObjectTail> known) {
    Hold hold(shared_from_this(), entry);
    auto file = disk_.open(layout_.object(entry->info.hash), OpenMode::Read);
    auto tail = file ? read_tail(**file, *entry, std::move(known)) : std::unexpected(file.error());
    if (!tail) {
        const Error& error = tail.error();
        if (error.code != Errc::Corrupt && error.code != Errc::NotFound)
            return std::unexpected(error);
        // Somebody may have removed it meanwhile, and another object may be in its place.
        if (!drop_damaged(*entry, error.context)) return not_here(entry->info.hash);
        return damaged(*entry, error.context);
    }
    auto object = std::make_shared<const StoredObject>(std::move(hold), *std::move(file), *tail);
    const std::lock_guard lock(mutex_);
    if (entry->present) tails_.put(entry->info.hash, *std::move(tail));
    if (auto other = entry->shared.lock()) return other;
    entry->shared = object;
    return object;
}

void Store::let_go(Entry& entry) {
    const std::lock_guard lock(mutex_);
    index_.let_go(entry);
}

bool Store::drop_damaged(Entry& entry, std::string_view what) {
    {
        const std::lock_guard lock(mutex_);
        if (!index_.take_out(entry, Departure::Damaged)) return false;
    }
    const auto removed = remove_file(entry);
    log_.warn(
        "damaged content is dropped",
        {{"file", layout_.object(entry.info.hash)},
         {"damage", std::string(what)},
         {"pinned", entry.pinned},
         {"removed", removed.has_value()},
         {"advice", "it has to be fetched again; if this happens more than once, check the disk"}});
    return true;
}

std::unexpected<Error> Store::damaged(Entry& entry, std::string_view what) {
    drop_damaged(entry, what);
    return fail(Errc::Corrupt,
                layout_.object(entry.info.hash) + " is damaged (" + std::string(what) +
                    ") and was dropped: fetch the content again");
}

// --- room

Result<> Store::reserve(const Room& room) {
    {
        const std::lock_guard lock(mutex_);
        if (index_.reserve(room)) return {};
    }
    const std::lock_guard evicting(evicting_);
    while (true) {
        std::shared_ptr<Entry> victim;
        {
            const std::lock_guard lock(mutex_);
            if (index_.reserve(room)) return {};
            if (index_.could_reserve(room)) victim = index_.take_victim();
            if (!victim) return no_room(room);
        }
        log_.debug("content is evicted",
                   {{"hash", to_hex(victim->info.hash.view())}, {"bytes", victim->file_bytes}});
        DRACO_TRY_VOID(remove_file(*victim));
    }
}

void Store::release(const Room& room) {
    const std::lock_guard lock(mutex_);
    index_.release(room);
}

Result<> Store::check_room(const Room& room) const {
    const std::lock_guard lock(mutex_);
    if (index_.could_reserve(room)) return {};
    return no_room(room);
}

std::unexpected<Error> Store::no_room(const Room& room) const {
    return fail(Errc::Exhausted,
                "the blockstore " + layout_.root() + " has no room for " +
                    std::to_string(room.bytes) + " bytes more: " + index_.describe_room() +
                    "; unpin or remove content, or raise the quota");
}

void Store::forget_tail(const ContentHash& hash) {
    const std::lock_guard lock(mutex_);
    tails_.drop(hash);
}

Result<> Store::remove_file(Entry& entry) {
    const ContentHash& hash = entry.info.hash;
    const std::lock_guard shard(shard_lock(hash));
    forget_tail(hash);
    // If the object came again, its file has replaced this one.
    if (!has(hash)) {
        auto removed = disk_.remove(layout_.object(hash));
        if (!removed && removed.error().code != Errc::NotFound) {
            log_.error(
                "the file of dropped content cannot be removed",
                {{"error", to_string(removed.error())},
                 {"advice", "check the disk; the file counts as used until the next start"}});
            return removed;
        }
    }
    const std::lock_guard lock(mutex_);
    index_.file_removed(entry);
    return {};
}

// --- new objects

Result<std::unique_ptr<StagedFile>> Store::stage() {
    DRACO_TRY_VOID(reserve({.bytes = 0, .objects = 1}));
    std::string path;
    {
        const std::lock_guard lock(mutex_);
        path = layout_.staged(next_staged_++);
    }
    auto file = disk_.open(path, OpenMode::CreateNew);
    if (!file) {
        release({.bytes = 0, .objects = 1});
        return std::unexpected(std::move(file).error());
    }
    return std::make_unique<StagedFile>(shared_from_this(), *std::move(file), std::move(path));
}

Result<std::shared_ptr<const StoredObject>> Store::commit(StagedFile& staged,
                                                          const types::ContentInfo& info,
                                                          std::uint64_t data_bytes,
                                                          ObjectTail tail) {
    for (int attempt = 0; attempt < kCommitAttemptsMax; ++attempt) {
        auto there = find(info.hash, Use::Counts);
        if (there) return there;
        if (there.error().code != Errc::NotFound && there.error().code != Errc::Corrupt)
            return there;
        Footer footer{.info = info, .data_bytes = data_bytes, .sequence = 0};
        {
            const std::lock_guard lock(mutex_);
            footer.sequence = index_.next_sequence();
        }
        DRACO_TRY_VOID(staged.seal(footer, tail.nodes));
        DRACO_TRY(published, publish(staged, tail));
        if (published) return std::move(published);
    }
    return fail(Errc::Unavailable,
                "content " + to_hex(info.hash.view()) + " comes and goes too fast: try again");
}

Result<> Store::make_shard(const ContentHash& hash) {
    Shard& shard = shards_[hash.bytes[0]];
    if (shard.exists) return {};
    DRACO_TRY_VOID(disk_.create_directory(layout_.shard(hash)));
    DRACO_TRY_VOID(disk_.sync_directory(layout_.objects()));
    shard.exists = true;
    return {};
}

// Null if an object of this hash came meanwhile.
Result<std::shared_ptr<const StoredObject>> Store::publish(StagedFile& staged, ObjectTail& tail) {
    const Footer& footer = staged.footer();
    const ContentHash& hash = footer.info.hash;
    const std::lock_guard shard(shard_lock(hash));
    if (has(hash)) return nullptr;
    DRACO_TRY_VOID(make_shard(hash));
    const std::string path = layout_.object(hash);
    DRACO_TRY_VOID(disk_.rename(staged.path(), path));
    if (auto synced = disk_.sync_directory(layout_.shard(hash)); !synced) {
        if (!disk_.remove(path)) staged.set_stranded();
        return std::unexpected(std::move(synced).error());
    }
    staged.set_published();
    const auto entry = std::make_shared<Entry>();
    entry->info = footer.info;
    entry->file_bytes = file_bytes(footer);
    entry->sequence = footer.sequence;
    entry->holds = 1;
    auto kept = std::make_shared<const ObjectTail>(std::move(tail));
    auto object =
        std::make_shared<const StoredObject>(Hold(shared_from_this(), entry), staged.file(), kept);
    const std::lock_guard lock(mutex_);
    entry->shared = object;
    index_.add(entry);
    tails_.put(hash, std::move(kept));
    return object;
}

}  // namespace draco::blockstore
