// Appending groups of records and making each group durable, beside a bare pwrite and fdatasync of
// the same bytes to a preallocated file on the same file system. The two run in turn; medians are
// compared. Then the CPU time of large groups in a log that is rarely read, beside the same log
// through the system's cache, over so many bytes that the cache has to grow for them.

#include "draco/io/posix_disk.hpp"
#include "draco/segment_log/segment_log.hpp"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::segment_log {
namespace {

constexpr std::size_t kGroupsPerTurn = 50;
constexpr std::size_t kTurns = 9;
constexpr std::size_t kCpuTurns = 3;
constexpr std::size_t kCpuBytes = std::size_t{1} << 30;
constexpr std::uint64_t kFileBytes = std::uint64_t{64} << 20;

// In the working directory, which is on a real disk where /tmp may not be.
class Scratch {
public:
    // With `is_rarely_read`, cached or not, nothing is dropped.
    explicit Scratch(std::optional<bool> is_rarely_read = std::nullopt)
        : keeps_all_(is_rarely_read.has_value()), root_("segment-log-bench-XXXXXX") {
        if (::mkdtemp(root_.data()) == nullptr) std::abort();
        disk_ = io::PosixDisk::open_root(root_).value();
        fd_ = ::open((root_ + "/bare").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd_ < 0 || ::posix_fallocate(fd_, 0, static_cast<off_t>(kFileBytes)) != 0) std::abort();
        ::fdatasync(fd_);
        Options options;
        options.directory = "log";
        options.segment_bytes = kFileBytes;
        options.is_rarely_read = is_rarely_read.value_or(false);
        log_ =
            SegmentLog::open(*disk_, options, [](const Record&) -> Result<> { return {}; }).value();
    }

    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    ~Scratch() {
        log_.reset();
        ::close(fd_);
        for (const auto& entry : disk_->list("log").value())
            static_cast<void>(disk_->remove("log/" + entry.name));
        static_cast<void>(disk_->remove_directory("log"));
        static_cast<void>(disk_->remove("bare"));
        ::rmdir(root_.c_str());
    }

    void log_group(std::size_t records, ByteView payload) {
        for (std::size_t i = 0; i < records; ++i)
            if (!log_->append(mark_, payload)) std::abort();
        if (!log_->sync()) std::abort();
        if (!keeps_all_) log_->drop_below(++mark_);
    }

    void bare_group(ByteView bytes) {
        if (offset_ + bytes.size() > kFileBytes) offset_ = 0;
        if (::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset_)) !=
                static_cast<ssize_t>(bytes.size()) ||
            ::fdatasync(fd_) != 0)
            std::abort();
        offset_ += bytes.size();
    }

private:
    bool keeps_all_;
    std::string root_;
    std::unique_ptr<io::PosixDisk> disk_;
    std::unique_ptr<SegmentLog> log_;
    int fd_ = -1;
    std::uint64_t offset_ = 0;
    std::uint64_t mark_ = 0;
};

template <class F>
double seconds(const F& run) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_ratio(Scratch& scratch, std::size_t records, std::size_t record_bytes) {
    const Bytes payload(record_bytes, 0x5a);
    const Bytes group(records * record_bytes, 0x5a);
    std::vector<double> own;
    std::vector<double> bare;
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        own.push_back(seconds([&] {
            for (std::size_t i = 0; i < kGroupsPerTurn; ++i) scratch.log_group(records, payload);
        }));
        bare.push_back(seconds([&] {
            for (std::size_t i = 0; i < kGroupsPerTurn; ++i) scratch.bare_group(group);
        }));
    }
    const double bytes = static_cast<double>(kGroupsPerTurn * group.size());
    std::printf(
        "ratio segment-log/append-sync/%zux%zu: %.2f (%.1f MB/s, %.0f syncs/s) "
        "peer=pwrite+fdatasync\n",
        records,
        record_bytes,
        median(bare) / median(own),
        bytes / median(own) / 1e6,
        static_cast<double>(kGroupsPerTurn) / median(own));
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto in_s = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return in_s(usage.ru_utime) + in_s(usage.ru_stime);
}

void print_cpu_ratio(std::size_t records, std::size_t record_bytes) {
    const Bytes payload(record_bytes, 0x5a);
    std::vector<double> cached;
    std::vector<double> past_cache;
    const std::size_t groups = kCpuBytes / (records * record_bytes);
    for (std::size_t turn = 0; turn < kCpuTurns; ++turn)
        for (const bool is_rarely_read : {false, true}) {
            Scratch scratch(is_rarely_read);
            const double begin = cpu_seconds();
            for (std::size_t i = 0; i < groups; ++i) scratch.log_group(records, payload);
            (is_rarely_read ? past_cache : cached).push_back(cpu_seconds() - begin);
        }
    const double bytes = static_cast<double>(groups * records * record_bytes);
    std::printf(
        "ratio segment-log/rarely-read-cpu/%zux%zu: %.2f (%.2f of %.2f ns/byte) "
        "peer=the same log through the cache\n",
        records,
        record_bytes,
        median(past_cache) / median(cached),
        median(past_cache) / bytes * 1e9,
        median(cached) / bytes * 1e9);
}

void append_and_sync(benchmark::State& state) {
    Scratch scratch;
    const Bytes payload(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state) scratch.log_group(64, payload);
    state.SetBytesProcessed(state.iterations() * 64 * state.range(0));
}

BENCHMARK(append_and_sync)->Arg(200)->Arg(4096);

}  // namespace
}  // namespace draco::segment_log

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    draco::segment_log::Scratch scratch;
    draco::segment_log::print_ratio(scratch, 1, 500);
    draco::segment_log::print_ratio(scratch, 32, 500);
    draco::segment_log::print_ratio(scratch, 64, 4096);
    draco::segment_log::print_cpu_ratio(64, 4096);
    draco::segment_log::print_cpu_ratio(4, 512 << 10);
    return 0;
}
