// Proves that files rotate and never exceed their bound, that a full queue and a failing disk cost
// lines but are told, that no line is torn, and that many threads may write at once.

#include "draco/log/rotating_log.hpp"

#include "draco/io/posix_disk.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/simulon/disk.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <filesystem>
#include <thread>

namespace draco::log {
namespace {

class FixedClock final : public Clock {
public:
    Instant now() const override { return {}; }

    UnixTime unix_now() const override { return {1'764'086'694'123}; }
};

// Runs tasks when told to: a disk that is as slow as the test wants.
class ManualExecutor final : public Executor {
public:
    void post(Task task) override { tasks_.push_back(std::move(task)); }

    TimerId post_at(Instant /*when*/, Task task) override {
        tasks_.push_back(std::move(task));
        return TimerId(1);
    }

    bool cancel(TimerId /*timer*/) override { return false; }

    const Clock& clock() const override { return clock_; }

    std::size_t run() {
        std::size_t count = 0;
        for (; !tasks_.empty(); ++count) {
            Task task = std::move(tasks_.front());
            tasks_.pop_front();
            task();
        }
        return count;
    }

private:
    FixedClock clock_;
    std::deque<Task> tasks_;
};

std::string content(Disk& disk, std::string_view path) {
    const auto file = disk.open(path, OpenMode::Read);
    if (!file) return "";
    std::string text((*file)->size().value(), '\0');
    EXPECT_TRUE((*file)->read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
    return text;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        EXPECT_NE(end, std::string_view::npos) << "a torn line";
        if (end == std::string_view::npos) break;
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return lines;
}

void write_number(Log& log, std::uint64_t number, std::size_t padding = 0) {
    const std::array<Field, 2> fields = {Field{"n", number},
                                         Field{"pad", std::string(padding, 'x')}};
    log.write(Level::Info, "test", "line", fields);
}

TEST(RotatingLog, WritesLinesInOrderAndGoesOnAfterAReopen) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    for (const std::uint64_t begin : {0U, 3U}) {
        auto log = RotatingLog::open(disk, executor, {}).value();
        for (std::uint64_t i = begin; i < begin + 3; ++i) write_number(*log, i);
        EXPECT_EQ(executor.run(), 1U) << "one task drains what waits";
        EXPECT_EQ(log->counters(), (RotatingLogCounters{.lines_written = 3}));
    }
    const auto lines = lines_of(content(disk, "draco.log"));
    ASSERT_EQ(lines.size(), 6U);
    for (std::size_t i = 0; i < lines.size(); ++i)
        EXPECT_EQ(lines[i],
                  "2025-11-25T16:04:54.123Z INFO  test: line n=" + std::to_string(i) + " pad=\"\"");
}

TEST(RotatingLog, LevelsBelowItsOwnAreIgnored) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    const auto log = RotatingLog::open(disk, executor, {.level = Level::Warn}).value();
    const Logger logger(*log, "test");
    logger.info("no");
    logger.warn("yes");
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(lines_of(content(disk, "draco.log")).size(), 1U);
}

TEST(RotatingLog, FilesRotateWithinTheirBound) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    const auto log =
        RotatingLog::open(disk, executor, {.file_bytes_max = kLogFileBytesMin, .files_max = 3})
            .value();
    constexpr std::uint64_t kLines = 1000;
    for (std::uint64_t i = 0; i < kLines; ++i) {
        write_number(*log, i, 500);
        executor.run();
    }
    EXPECT_EQ(disk.list("")->size(), 3U);
    std::uint64_t expected = kLines;
    for (const std::string name : {"draco.log", "draco.log.1", "draco.log.2"}) {
        const std::string text = content(disk, name);
        EXPECT_LE(text.size(), kLogFileBytesMin);
        if (name != "draco.log") EXPECT_GT(text.size(), kLogFileBytesMin - 1000);
        auto lines = lines_of(text);
        for (auto line = lines.rbegin(); line != lines.rend(); ++line)
            EXPECT_TRUE(line->contains(" n=" + std::to_string(--expected) + " ")) << *line;
    }
    EXPECT_LT(expected, kLines - 200);
}

TEST(RotatingLog, OneFileStartsOver) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    const auto log =
        RotatingLog::open(disk, executor, {.file_bytes_max = kLogFileBytesMin, .files_max = 1})
            .value();
    for (std::uint64_t i = 0; i < 300; ++i) {
        write_number(*log, i, 500);
        executor.run();
    }
    EXPECT_EQ(disk.list("")->size(), 1U);
    EXPECT_LE(content(disk, "draco.log").size(), kLogFileBytesMin);
    EXPECT_TRUE(lines_of(content(disk, "draco.log")).back().contains(" n=299 "));
}

TEST(RotatingLog, AFullQueueDropsAndLaterSaysHowMany) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    const auto log = RotatingLog::open(disk, executor, {.queue_bytes_max = 1000}).value();
    for (std::uint64_t i = 0; i < 100; ++i) write_number(*log, i);
    executor.run();
    auto lines = lines_of(content(disk, "draco.log"));
    const std::uint64_t kept = lines.size() - 1;
    EXPECT_GT(kept, 10U);
    EXPECT_EQ(lines.back(),
              "2025-11-25T16:04:54.123Z WARN  log: lines were dropped lines=" +
                  std::to_string(100 - kept));
    EXPECT_EQ(log->counters().lines_dropped, 100 - kept);

    write_number(*log, 100);
    executor.run();
    lines = lines_of(content(disk, "draco.log"));
    EXPECT_TRUE(lines.back().contains(" n=100 ")) << "the queue is free again, and reported once";
}

TEST(RotatingLog, AFailingDiskCostsLinesAndIsTold) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    const auto log = RotatingLog::open(disk, executor, {}).value();
    disk.set_options({.write_error = 1});
    write_number(*log, 0);
    executor.run();
    write_number(*log, 1);
    EXPECT_FALSE(log->flush());
    EXPECT_EQ(log->counters().lines_written, 0U);
    EXPECT_EQ(log->counters().disk_failures, 2U);

    disk.set_options({});
    write_number(*log, 2);
    ASSERT_TRUE(log->flush());
    const auto lines = lines_of(content(disk, "draco.log"));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(lines[0].contains(" n=2 "));
    EXPECT_TRUE(lines[1].contains("lines were dropped lines=2"));
}

TEST(RotatingLog, ACrashAnywhereLeavesALogThatOpens) {
    for (std::uint64_t n = 1; n < 60; ++n) {
        simulon::SimulatedDisk disk(n);
        ManualExecutor executor;
        const RotatingLogOptions options{.file_bytes_max = kLogFileBytesMin, .files_max = 3};
        auto log = RotatingLog::open(disk, executor, options).value();
        disk.crash_at_change(n);
        for (std::uint64_t i = 0; i < 400; ++i) {
            write_number(*log, i, 900);
            if (i % 10 == 0) executor.run();
        }
        log.reset();
        disk.crash();
        disk.restart();
        log = RotatingLog::open(disk, executor, options).value();
        write_number(*log, 0);
        EXPECT_TRUE(log->flush()) << n;
    }
}

TEST(RotatingLog, TheDestructorWritesWhatWaits) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    auto log = RotatingLog::open(disk, executor, {}).value();
    write_number(*log, 7);
    log.reset();
    EXPECT_EQ(lines_of(content(disk, "draco.log")).size(), 1U);
    EXPECT_EQ(executor.run(), 1U) << "a task that comes too late does no harm";
}

TEST(RotatingLog, SenselessBoundsAreRefused) {
    simulon::SimulatedDisk disk(1);
    ManualExecutor executor;
    for (const RotatingLogOptions& options : {RotatingLogOptions{.file_bytes_max = 1},
                                              RotatingLogOptions{.files_max = 0},
                                              RotatingLogOptions{.files_max = 1001},
                                              RotatingLogOptions{.queue_bytes_max = 0}})
        EXPECT_EQ(RotatingLog::open(disk, executor, options).error().code, Errc::InvalidArgument);
}

TEST(RotatingLog, ManyThreadsWriteWholeLines) {
    const std::string folder = ::testing::TempDir() + "draco_rotating_log_" +
                               std::to_string(static_cast<unsigned long>(::getpid()));
    std::filesystem::remove_all(folder);
    const auto disk = io::PosixDisk::open_root(folder).value();
    const auto pool = io::ThreadPool::start({.name = "log", .thread_count = 1}).value();
    constexpr std::uint64_t kThreads = 4;
    constexpr std::uint64_t kLinesEach = 2000;
    auto log =
        RotatingLog::open(
            *disk,
            *pool,
            {.file_bytes_max = kLogFileBytesMin, .files_max = 100, .queue_bytes_max = 16 << 20})
            .value();
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t t = 0; t < kThreads; ++t)
            threads.emplace_back([&, t] {
                for (std::uint64_t i = 0; i < kLinesEach; ++i)
                    write_number(*log, t * kLinesEach + i);
            });
    }
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(log->counters().lines_written, kThreads * kLinesEach);
    EXPECT_EQ(log->counters().lines_dropped, 0U);
    log.reset();
    pool->stop();
    std::size_t lines = 0;
    for (const DirectoryEntry& entry : disk->list("").value())
        lines += lines_of(content(*disk, entry.name)).size();
    EXPECT_EQ(lines, kThreads * kLinesEach);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace draco::log
