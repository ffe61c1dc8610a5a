#pragma once
// A log in files of bounded size: `path` is being written, path.1 is the one before, and so on; the
// oldest is removed. write() formats into a bounded queue; a task on the executor moves it to the
// disk, so that no caller waits for one. Lines that find the queue full are dropped, and a later
// line says how many.
//
// What is in the queue is lost if the process is killed, and kept if it ends with flush() or the
// destructor. Files are not synced.

#include "draco/base/disk.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/log/line_format.hpp"
#include "draco/log/log.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace draco::log {

inline constexpr std::uint64_t kLogFileBytesMin = 64 << 10;
inline constexpr std::uint32_t kLogFilesMax = 1000;

struct RotatingLogOptions {
    std::string path = "draco.log";
    Level level = Level::Info;  // messages below it are ignored
    LineFormat format = LineFormat::Text;
    // A file ends before the line that would exceed this.
    std::uint64_t file_bytes_max = std::uint64_t{16} << 20;
    std::uint32_t files_max = 4;  // with the one being written
    std::size_t queue_bytes_max = std::size_t{1} << 20;
};

struct RotatingLogCounters {
    std::uint64_t lines_written = 0;
    std::uint64_t lines_dropped = 0;  // the queue was full, or the disk failed
    std::uint64_t disk_failures = 0;

    bool operator==(const RotatingLogCounters&) const = default;
};

// Thread-safe.
class RotatingLog final : public Log {
public:
    // Goes on with the file that is there. `disk` and `executor` outlive the log; the executor's
    // tasks write to the disk, so its other tasks should not mind. InvalidArgument for bounds of
    // zero or out of range; otherwise the disk's errors.
    static Result<std::unique_ptr<RotatingLog>> open(Disk& disk,
                                                     Executor& executor,
                                                     RotatingLogOptions options);
    ~RotatingLog() override;  // flushes
    RotatingLog(const RotatingLog&) = delete;
    RotatingLog& operator=(const RotatingLog&) = delete;

    bool enabled(Level level) const override;
    void write(Level level,
               std::string_view component,
               std::string_view message,
               std::span<const Field> fields) override;

    // Writes what is queued, on the caller's thread. The error is the last one of the disk; what
    // could not be written is dropped.
    Result<> flush();
    RotatingLogCounters counters() const;

private:
    class State;

    explicit RotatingLog(std::shared_ptr<State> state) : state_(std::move(state)) {}

    std::shared_ptr<State> state_;
};

}  // namespace draco::log
