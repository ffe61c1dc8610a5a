#pragma once
// The logs on the disk: one folder per epoch, <directory>/epoch-<n>, and the object that writes
// to the log of one epoch. README.md has the layout.

#include "draco/affair/registry.hpp"
#include "draco/consensus/effects.hpp"
#include "draco/segment_log/segment_log.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::consensus {

// Records beyond are not loaded: a log of a sound epoch is far below.
inline constexpr std::size_t kLogRecordsMax = std::size_t{1} << 22;

struct OpenedLog {
    std::unique_ptr<segment_log::SegmentLog> log;
    std::vector<Record> records;
};

// The folder of all epochs' logs. One caller at a time. Errors: those of the Disk; of open() also
// Corrupt.
class RecordLogs {
public:
    RecordLogs(Disk& disk,
               std::string directory,
               std::uint64_t segment_bytes,
               types::ChainId chain,
               const types::NodeKey& key)
        : disk_(disk),
          directory_(std::move(directory)),
          segment_bytes_(segment_bytes),
          chain_(chain),
          key_(key) {}

    // Whether there is a log of this epoch, sound or not.
    Result<bool> has(types::Epoch epoch) const;
    // Makes one if there is none.
    Result<OpenedLog> open(types::Epoch epoch);
    // Renames the epoch's folder, so that it is nobody's log any more and people can look at it.
    // Returns its new name.
    Result<std::string> set_aside(types::Epoch epoch);
    // set_aside() of every log there is.
    Result<> set_all_aside();
    // Removes what belongs to `epoch` and earlier ones, set aside or not.
    Result<> remove_up_to(types::Epoch epoch);

private:
    std::string folder(types::Epoch epoch) const;
    segment_log::LogId id_of(types::Epoch epoch) const;
    Result<> remove_folder(const std::string& path);

    Disk& disk_;
    std::string directory_;
    std::uint64_t segment_bytes_;
    types::ChainId chain_;
    types::NodeKey key_;
};

// Appends and syncs, as a task of its own. The first error ends its use.
class LogWriter {
public:
    struct Write {
        std::vector<Persist> records;
        std::optional<Round> prune_below;
        std::move_only_function<void(Result<>)> done;  // all of them are durable, or the error
    };

    // The log goes idle.
    struct Protect {};

    using Messages = affair::Messages<Write, Protect>;

    explicit LogWriter(std::unique_ptr<segment_log::SegmentLog> log) : log_(std::move(log)) {}

    // A clean end: damage from now on will be recognised.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    void handle(Write write);
    void handle(Protect protect);

private:
    Result<> perform(const Write& write);

    std::unique_ptr<segment_log::SegmentLog> log_;
    std::optional<Error> failure_;
};

}  // namespace draco::consensus
