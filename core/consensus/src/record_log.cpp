#include "record_log.hpp"

#include "draco/blake3_tree/hasher.hpp"

#include "signed_epoch.hpp"

#include <algorithm>
#include <charconv>

namespace draco::consensus {
namespace {

constexpr std::string_view kPrefix = "epoch-";
// Logs of one epoch that were set aside; there is no way to so many.
constexpr std::size_t kAsideMax = 100;

// "epoch-12" and "epoch-12.aside-1" are of epoch 12.
std::optional<types::Epoch> epoch_of_name(std::string_view name) {
    if (!name.starts_with(kPrefix)) return std::nullopt;
    name.remove_prefix(kPrefix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc()) return std::nullopt;
    const bool whole = end == name.data() + name.size();
    return whole || *end == '.' ? std::optional(types::Epoch(number)) : std::nullopt;
}

bool is_aside(std::string_view name) {
    return name.find('.') != std::string_view::npos;
}

}  // namespace

std::string RecordLogs::folder(types::Epoch epoch) const {
    return directory_ + "/" + std::string(kPrefix) + std::to_string(epoch.value());
}

// A log that was copied from another chain, key or epoch is not this one.
segment_log::LogId RecordLogs::id_of(types::Epoch epoch) const {
    Bytes numbers(16);
    store_le<std::uint64_t>(numbers.data(), chain_.value());
    store_le<std::uint64_t>(numbers.data() + 8, epoch.value());
    blake3_tree::Hasher hasher;
    hasher.update(as_bytes("draco.network 2026 consensus log v1"));
    hasher.update(numbers);
    hasher.update(key_.view());
    return segment_log::LogId(hasher.finish().bytes);
}

Result<bool> RecordLogs::has(types::Epoch epoch) const {
    DRACO_TRY(exists, disk_.exists(folder(epoch)));
    if (!exists) return false;
    DRACO_TRY(files, disk_.list(folder(epoch)));
    return !files.empty();
}

Result<OpenedLog> RecordLogs::open(types::Epoch epoch) {
    DRACO_TRY_VOID(make_directory(disk_, folder(epoch)));
    OpenedLog opened;
    segment_log::Options options;
    options.directory = folder(epoch);
    options.id = id_of(epoch);
    options.segment_bytes = segment_bytes_;
    options.is_rarely_read = true;
    options.record_bytes_max = std::min<std::size_t>(
        options.record_bytes_max, segment_bytes_ - segment_log::kSegmentOverheadBytes);
    DRACO_TRY(log,
              segment_log::SegmentLog::open(
                  disk_, options, [&](const segment_log::Record& found) -> Result<> {
                      auto record = decode_record(found.bytes);
                      if (!record || opened.records.size() >= kLogRecordsMax)
                          return fail(Errc::Corrupt,
                                      "record " + std::to_string(found.sequence) + " of " +
                                          folder(epoch) + " is not one of a consensus log");
                      opened.records.push_back(*std::move(record));
                      return {};
                  }));
    opened.log = std::move(log);
    return opened;
}

Result<std::string> RecordLogs::set_aside(types::Epoch epoch) {
    for (std::size_t i = 1; i <= kAsideMax; ++i) {
        std::string aside = folder(epoch) + ".aside-" + std::to_string(i);
        DRACO_TRY(taken, disk_.exists(aside));
        if (taken) continue;
        DRACO_TRY_VOID(disk_.rename(folder(epoch), aside));
        DRACO_TRY_VOID(disk_.sync_directory(directory_));
        return aside;
    }
    return fail(Errc::Exhausted,
                "too many damaged logs of one epoch in " + directory_ + ": remove some");
}

Result<> RecordLogs::set_all_aside() {
    DRACO_TRY(exists, disk_.exists(directory_));
    if (!exists) return {};
    DRACO_TRY(entries, disk_.list(directory_));
    for (const DirectoryEntry& entry : entries) {
        const auto epoch = epoch_of_name(entry.name);
        if (entry.is_directory && epoch && !is_aside(entry.name)) DRACO_TRY_VOID(set_aside(*epoch));
    }
    return {};
}

Result<> RecordLogs::remove_folder(const std::string& path) {
    DRACO_TRY(files, disk_.list(path));
    for (const DirectoryEntry& file : files)
        if (!file.is_directory) DRACO_TRY_VOID(disk_.remove(path + "/" + file.name));
    return disk_.remove_directory(path);
}

Result<> RecordLogs::remove_up_to(types::Epoch epoch) {
    DRACO_TRY(exists, disk_.exists(directory_));
    if (!exists) return {};
    DRACO_TRY(entries, disk_.list(directory_));
    for (const DirectoryEntry& entry : entries) {
        const auto of = epoch_of_name(entry.name);
        if (entry.is_directory && of && *of <= epoch)
            DRACO_TRY_VOID(remove_folder(directory_ + "/" + entry.name));
    }
    return disk_.sync_directory(directory_);
}

LogWriter::~LogWriter() {
    if (!failure_) static_cast<void>(log_->seal());
}

Result<> LogWriter::perform(const Write& write) {
    for (const Persist& persist : write.records)
        DRACO_TRY_VOID(log_->append(persist.round.value(), persist.record, persist.rest()));
    if (write.prune_below) log_->drop_below(write.prune_below->value());
    return log_->sync();
}

void LogWriter::handle(Write write) {
    Result<> outcome = failure_ ? Result<>(std::unexpected(*failure_)) : perform(write);
    if (!outcome && !failure_) failure_ = outcome.error();
    write.done(std::move(outcome));
}

void LogWriter::handle(Protect /*protect*/) {
    if (failure_) return;
    if (auto outcome = log_->protect(); !outcome) failure_ = outcome.error();
}

}  // namespace draco::consensus
