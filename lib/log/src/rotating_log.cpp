#include "draco/log/rotating_log.hpp"

#include <array>
#include <mutex>

namespace draco::log {
namespace {

Result<> check(const RotatingLogOptions& options) {
    if (options.file_bytes_max < kLogFileBytesMin)
        return fail(Errc::InvalidArgument,
                    "log: file_bytes_max is " + std::to_string(options.file_bytes_max) +
                        ", the least is " + std::to_string(kLogFileBytesMin));
    if (options.files_max == 0 || options.files_max > kLogFilesMax)
        return fail(Errc::InvalidArgument,
                    "log: files_max is " + std::to_string(options.files_max) +
                        ", it must be 1 to " + std::to_string(kLogFilesMax));
    if (options.queue_bytes_max == 0)
        return fail(Errc::InvalidArgument, "log: queue_bytes_max is 0");
    return {};
}

// The current file and the older ones behind it.
class LogFiles {
public:
    LogFiles(Disk& disk, const RotatingLogOptions& options)
        : disk_(disk),
          path_(options.path),
          file_bytes_max_(options.file_bytes_max),
          files_max_(options.files_max) {}

    Result<> open() {
        DRACO_TRY(file, disk_.open(path_, OpenMode::Create));
        DRACO_TRY(size, file->size());
        file_ = std::move(file);
        size_ = size;
        return {};
    }

    // After an error the file is opened anew, so a disk that recovers has a log again.
    Result<> append(ByteView lines) {
        if (!file_) DRACO_TRY_VOID(open());
        auto written = write(lines);
        if (!written) file_.reset();
        return written;
    }

private:
    Result<> write(ByteView lines) {
        if (size_ != 0 && size_ + lines.size() > file_bytes_max_) {
            file_.reset();
            DRACO_TRY_VOID(rotate());
            DRACO_TRY_VOID(open());
        }
        DRACO_TRY_VOID(file_->write_at(size_, lines));
        size_ += lines.size();
        return {};
    }

    Result<> rotate() {
        if (files_max_ == 1) return disk_.remove(path_);
        for (std::uint32_t i = files_max_ - 1; i > 0; --i) {
            auto moved = disk_.rename(name_of(i - 1), name_of(i));
            if (!moved && moved.error().code != Errc::NotFound) return moved;
        }
        return {};
    }

    std::string name_of(std::uint32_t index) const {
        return index == 0 ? path_ : path_ + "." + std::to_string(index);
    }

    Disk& disk_;
    const std::string path_;
    const std::uint64_t file_bytes_max_;
    const std::uint32_t files_max_;
    std::unique_ptr<File> file_;
    std::uint64_t size_ = 0;
};

}  // namespace

class RotatingLog::State {
public:
    State(Disk& disk, Executor& executor, RotatingLogOptions options)
        : executor_(executor), options_(std::move(options)), files_(disk, options_) {}

    Result<> open() { return files_.open(); }

    bool enabled(Level level) const { return level >= options_.level; }

    std::string line_of(Level level,
                        std::string_view component,
                        std::string_view message,
                        std::span<const Field> fields) const {
        return format_line(options_.format,
                           {.time = executor_.clock().unix_now(),
                            .level = level,
                            .component = component,
                            .text = message,
                            .fields = fields}) +
               '\n';
    }

    // Whether a task must be posted to drain the queue.
    bool enqueue(std::string line) {
        const std::scoped_lock lock(queue_mutex_);
        if (queued_bytes_ + line.size() > options_.queue_bytes_max) {
            ++counters_.lines_dropped;
            ++dropped_unreported_;
            return false;
        }
        queued_bytes_ += line.size();
        queue_.push_back(std::move(line));
        return !std::exchange(drain_posted_, true);
    }

    Result<> drain() {
        const std::scoped_lock lock(files_mutex_);
        std::vector<std::string> lines;
        std::uint64_t dropped = 0;
        {
            const std::scoped_lock queue_lock(queue_mutex_);
            drain_posted_ = false;
            lines.swap(queue_);
            queued_bytes_ = 0;
            dropped = std::exchange(dropped_unreported_, 0);
        }
        auto written = write(lines);
        if (dropped != 0) report(dropped);
        return written;
    }

    Executor& executor() const { return executor_; }

    RotatingLogCounters counters() const {
        const std::scoped_lock lock(queue_mutex_);
        return counters_;
    }

private:
    void report(std::uint64_t dropped) {
        const std::array<Field, 1> fields = {Field{"lines", dropped}};
        const std::string line = line_of(Level::Warn, "log", "lines were dropped", fields);
        if (files_.append(as_bytes(line))) return;
        const std::scoped_lock lock(queue_mutex_);
        dropped_unreported_ += dropped;
    }

    // Lines that share a file go to it in one write.
    Result<> write(const std::vector<std::string>& lines) {
        Result<> outcome;
        std::string chunk;
        std::uint64_t count = 0;
        const auto flush_chunk = [&] {
            if (count == 0) return;
            const auto written = files_.append(as_bytes(chunk));
            if (!written) outcome = std::unexpected(written.error());
            account(count, written.has_value());
            chunk.clear();
            count = 0;
        };
        for (const std::string& line : lines) {
            if (chunk.size() + line.size() > kChunkBytes) flush_chunk();
            chunk += line;
            ++count;
        }
        flush_chunk();
        return outcome;
    }

    void account(std::uint64_t lines, bool written) {
        const std::scoped_lock lock(queue_mutex_);
        if (written) {
            counters_.lines_written += lines;
        } else {
            counters_.lines_dropped += lines;
            dropped_unreported_ += lines;
            ++counters_.disk_failures;
        }
    }

    static constexpr std::size_t kChunkBytes = std::size_t{48} << 10;
    static_assert(kLineBytesMax < kChunkBytes && kChunkBytes <= kLogFileBytesMin);

    Executor& executor_;
    const RotatingLogOptions options_;
    std::mutex files_mutex_;          // taken before queue_mutex_
    LogFiles files_;                  // guarded by files_mutex_
    mutable std::mutex queue_mutex_;  // guards what follows
    std::vector<std::string> queue_;
    std::size_t queued_bytes_ = 0;
    bool drain_posted_ = false;
    std::uint64_t dropped_unreported_ = 0;
    RotatingLogCounters counters_;
};

Result<std::unique_ptr<RotatingLog>> RotatingLog::open(Disk& disk,
                                                       Executor& executor,
                                                       RotatingLogOptions options) {
    DRACO_TRY_VOID(check(options));
    auto state = std::make_shared<State>(disk, executor, std::move(options));
    DRACO_TRY_VOID(state->open());
    return std::unique_ptr<RotatingLog>(new RotatingLog(std::move(state)));
}

RotatingLog::~RotatingLog() {
    static_cast<void>(state_->drain());
}

bool RotatingLog::enabled(Level level) const {
    return state_->enabled(level);
}

void RotatingLog::write(Level level,
                        std::string_view component,
                        std::string_view message,
                        std::span<const Field> fields) {
    if (!enabled(level)) return;
    if (!state_->enqueue(state_->line_of(level, component, message, fields))) return;
    state_->executor().post([state = state_] { static_cast<void>(state->drain()); });
}

Result<> RotatingLog::flush() {
    return state_->drain();
}

RotatingLogCounters RotatingLog::counters() const {
    return state_->counters();
}

}  // namespace draco::log
