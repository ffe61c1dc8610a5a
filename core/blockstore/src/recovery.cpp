#include "draco/base/text_encoding.hpp"

#include "store.hpp"

#include <algorithm>

namespace draco::blockstore {
namespace {

using types::ContentHash;

Result<> check(const Options& options) {
    if (!options.directory.empty() && options.bytes_max > 0 && options.objects_max > 0) return {};
    return fail(Errc::InvalidArgument,
                "a blockstore needs a directory, and a quota of at least one byte and one object");
}

// Makes the names on the way to a directory durable.
Result<> sync_parents(Disk& disk, std::string_view path) {
    DRACO_TRY_VOID(disk.sync_directory(""));
    for (std::size_t end = path.find('/'); end != std::string_view::npos;
         end = path.find('/', end + 1))
        DRACO_TRY_VOID(disk.sync_directory(path.substr(0, end)));
    return {};
}

}  // namespace

Result<std::shared_ptr<Store>> Store::open(Disk& disk, const Options& options, log::Log& log) {
    DRACO_TRY_VOID(check(options));
    std::shared_ptr<Store> store(new Store(disk, options, log));
    DRACO_TRY_VOID(disk.create_directory(options.directory));
    DRACO_TRY(lock, disk.lock(store->layout_.lock()));
    store->lock_ = std::move(lock);
    DRACO_TRY_VOID(store->make_directories());
    DRACO_TRY(unfinished_files, store->clean_staging());
    DRACO_TRY_VOID(store->read_pins());
    DRACO_TRY_VOID(store->read_objects());
    DRACO_TRY_VOID(store->evict_excess());
    store->report_opened(unfinished_files);
    return store;
}

Result<> Store::make_directories() {
    for (const auto& path : {layout_.objects(), layout_.staging(), layout_.pins()})
        DRACO_TRY_VOID(disk_.create_directory(path));
    return sync_parents(disk_, layout_.objects());
}

Result<std::uint64_t> Store::clean_staging() {
    DRACO_TRY(names, disk_.list(layout_.staging()));
    std::uint64_t removed = 0;
    for (const auto& [name, is_directory] : names) {
        if (is_directory) continue;
        DRACO_TRY_VOID(disk_.remove(layout_.staging() + "/" + name));
        ++removed;
    }
    return removed;
}

Result<> Store::read_pins() {
    DRACO_TRY(names, disk_.list(layout_.pins()));
    for (const auto& [name, is_directory] : names) {
        const auto hash = hash_of_name(name);
        if (hash && !is_directory)
            index_.pin(*hash);
        else
            log_.warn("a foreign file lies among the pins",
                      {{"file", layout_.pins() + "/" + name}, {"advice", "move it elsewhere"}});
    }
    return {};
}

Result<> Store::read_objects() {
    DRACO_TRY(shards, disk_.list(layout_.objects()));
    std::vector<std::shared_ptr<Entry>> found;
    for (const auto& [name, is_directory] : shards)
        if (is_directory) DRACO_TRY_VOID(read_shard(name, found));
    std::ranges::sort(found, {}, [](const auto& entry) { return entry->sequence; });
    for (const auto& entry : found) {
        index_.occupy(entry->room());
        index_.add(entry);
    }
    return {};
}

Result<> Store::read_shard(const std::string& name, std::vector<std::shared_ptr<Entry>>& found) {
    const std::string shard = layout_.objects() + "/" + name;
    DRACO_TRY(files, disk_.list(shard));
    for (const auto& file : files) {
        const std::string path = shard + "/" + file.name;
        const auto hash = hash_of_name(file.name);
        if (!hash || file.is_directory || layout_.object(*hash) != path) {
            log_.warn("a foreign file lies among the objects",
                      {{"file", path}, {"advice", "move it elsewhere"}});
            continue;
        }
        shards_[hash->bytes[0]].exists = true;
        DRACO_TRY(entry, read_object(*hash));
        if (entry) found.push_back(std::move(entry));
    }
    return {};
}

// Null if there is nothing to be had.
Result<std::shared_ptr<Entry>> Store::read_object(const ContentHash& hash) {
    const std::string path = layout_.object(hash);
    std::uint64_t size = 0;
    const auto footer = [&]() -> Result<Footer> {
        DRACO_TRY(file, disk_.open(path, OpenMode::Read));
        DRACO_TRY(file_size, file->size());
        size = file_size;
        Bytes bytes(std::min<std::uint64_t>(size, kFooterBytes));
        DRACO_TRY(count, file->read_at(size - bytes.size(), bytes));
        bytes.resize(count);
        DRACO_TRY(decoded, decode_footer(bytes, size));
        if (decoded.info.hash == hash) return decoded;
        return fail(Errc::Corrupt, "its footer is that of another object");
    }();
    if (footer) {
        auto entry = std::make_shared<Entry>();
        entry->info = footer->info;
        entry->file_bytes = size;
        entry->sequence = footer->sequence;
        return entry;
    }
    if (footer.error().code == Errc::Corrupt) {
        DRACO_TRY_VOID(disk_.remove(path));
        index_.count_damaged();
        log_.warn("damaged content is dropped",
                  {{"file", path},
                   {"damage", footer.error().context},
                   {"pinned", index_.is_pinned(hash)},
                   {"advice",
                    "it has to be fetched again; if this happens more than once, check the disk"}});
        return nullptr;
    }
    // What the disk cannot read today, or a newer program wrote, is not ours to remove.
    index_.occupy({.bytes = size, .objects = 1});
    log_.error("content cannot be read and is left alone",
               {{"file", path},
                {"error", to_string(footer.error())},
                {"advice", "check the disk and the version of the program, or remove the file"}});
    return nullptr;
}

Result<> Store::evict_excess() {
    while (index_.is_over_limit()) {
        const auto victim = index_.take_victim();
        if (!victim) {
            log_.warn("the quota is below what is pinned",
                      {{"directory", layout_.root()},
                       {"usage", index_.describe_room()},
                       {"advice", "unpin content, or raise the quota"}});
            return {};
        }
        DRACO_TRY_VOID(remove_file(*victim));
    }
    return {};
}

void Store::report_opened(std::uint64_t unfinished_files) const {
    const auto usage = index_.usage();
    log_.info("the blockstore is open",
              {{"directory", layout_.root()},
               {"objects", usage.objects},
               {"pinned", usage.pinned_objects},
               {"bytes", usage.bytes},
               {"bytes_max", usage.bytes_max},
               {"unfinished_files_removed", unfinished_files},
               {"damaged_objects_dropped", usage.damaged_objects},
               {"evicted_objects", usage.evicted_objects}});
    const auto missing = index_.missing_pins();
    if (missing.empty()) return;
    log_.warn("pinned content is missing",
              {{"objects", std::uint64_t{missing.size()}},
               {"first_hash", to_hex(missing.front().view())},
               {"advice", "fetch it again, or unpin it"}});
}

}  // namespace draco::blockstore
