// The thread pool beside boost::asio::thread_pool, and positional reads and writes through
// draco::File beside the bare system calls. The peers run in turn and medians are compared.

#include "draco/io/posix_disk.hpp"
#include "draco/io/thread_pool.hpp"

#include "network_bench.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

namespace draco::io {
namespace {

constexpr int kTasks = 20000;
constexpr int kTimers = 5000;
constexpr std::size_t kThreads = 2;
constexpr std::size_t kBlockBytes = 4096;
constexpr int kBlocks = 256;

// Posts tasks that each post another, and waits until all have run.
template <class Post>
void run_tasks(const Post& post) {
    static std::atomic<int> runs;  // the last task still notifies when the wait is over
    runs = 0;
    for (int i = 0; i < kTasks / 2; ++i)
        post([&] {
            runs.fetch_add(1, std::memory_order_relaxed);
            post([&] {
                if (runs.fetch_add(1, std::memory_order_relaxed) + 1 == kTasks) runs.notify_one();
            });
        });
    for (int seen = runs; seen != kTasks; seen = runs) runs.wait(seen);
}

void pool_tasks(ThreadPool& pool) {
    run_tasks([&](auto task) { pool.post(std::move(task)); });
}

void asio_tasks(boost::asio::thread_pool& pool) {
    run_tasks([&](auto task) { boost::asio::post(pool, std::move(task)); });
}

// Deadlines that are nearly always cancelled: create timers, cancel them all.
void pool_timers(ThreadPool& pool) {
    std::vector<TimerId> timers;
    timers.reserve(kTimers);
    for (int i = 0; i < kTimers; ++i)
        timers.push_back(pool.post_after(std::chrono::minutes(1 + i % 7), [] {}));
    for (const TimerId timer : timers) pool.cancel(timer);
}

void asio_timers(boost::asio::thread_pool& pool) {
    std::vector<boost::asio::steady_timer> timers;
    timers.reserve(kTimers);
    for (int i = 0; i < kTimers; ++i) {
        timers.emplace_back(pool, std::chrono::minutes(1 + i % 7));
        timers.back().async_wait([](const boost::system::error_code&) {});
    }
    for (auto& timer : timers) timer.cancel();
}

class ScratchFile {
public:
    ScratchFile() : root_("/tmp/draco-io-bench-XXXXXX") {
        if (::mkdtemp(root_.data()) == nullptr) std::abort();
        disk_ = PosixDisk::open_root(root_).value();
        file_ = disk_->open("f", OpenMode::Create).value();
        fd_ = FileDescriptor(::open((root_ + "/f").c_str(), O_RDWR | O_CLOEXEC));
        write_file();
    }

    ~ScratchFile() {
        if (!disk_->remove("f")) std::puts("could not remove the scratch file");
        ::rmdir(root_.c_str());
    }

    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;

    void read_file() {
        for (std::uint64_t i = 0; i < kBlocks; ++i)
            if (file_->read_at(i * kBlockBytes, block_).value_or(0) != kBlockBytes) std::abort();
    }

    void write_file() {
        for (std::uint64_t i = 0; i < kBlocks; ++i)
            if (!file_->write_at(i * kBlockBytes, block_)) std::abort();
    }

    void read_bare() {
        for (off_t i = 0; i < kBlocks; ++i)
            if (::pread(fd_.get(), block_.data(), kBlockBytes, i * off_t{kBlockBytes}) < 0)
                std::abort();
    }

    void write_bare() {
        for (off_t i = 0; i < kBlocks; ++i)
            if (::pwrite(fd_.get(), block_.data(), kBlockBytes, i * off_t{kBlockBytes}) < 0)
                std::abort();
    }

private:
    std::string root_;
    std::unique_ptr<PosixDisk> disk_;
    std::unique_ptr<File> file_;
    FileDescriptor fd_;
    Bytes block_ = Bytes(kBlockBytes);
};

void BM_ThreadPool_Post(benchmark::State& state) {
    const auto pool = ThreadPool::start({.name = "bench", .thread_count = kThreads}).value();
    for (auto _ : state) pool_tasks(*pool);
    state.SetItemsProcessed(state.iterations() * kTasks);
}

void BM_Asio_Post(benchmark::State& state) {
    boost::asio::thread_pool pool(kThreads);
    for (auto _ : state) asio_tasks(pool);
    state.SetItemsProcessed(state.iterations() * kTasks);
}

BENCHMARK(BM_ThreadPool_Post)->MeasureProcessCPUTime();
BENCHMARK(BM_Asio_Post)->MeasureProcessCPUTime();

double cpu_ns(const std::function<void()>& work) {
    timespec before{};
    timespec after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    work();
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return static_cast<double>(after.tv_sec - before.tv_sec) * 1e9 +
           static_cast<double>(after.tv_nsec - before.tv_nsec);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_ratio(const char* name,
                 const char* peer,
                 const char* target,
                 const std::function<void()>& ours,
                 const std::function<void()>& theirs) {
    std::vector<double> ours_ns;
    std::vector<double> theirs_ns;
    for (int i = 0; i < 101; ++i) {
        ours_ns.push_back(cpu_ns(ours));
        theirs_ns.push_back(cpu_ns(theirs));
    }
    std::printf("ratio %s: %.2f (target <= %s) peer=%s\n",
                name,
                median(ours_ns) / median(theirs_ns),
                target,
                peer);
}

void print_ratios() {
    const auto pool = ThreadPool::start({.name = "bench", .thread_count = kThreads}).value();
    boost::asio::thread_pool asio(kThreads);
    print_ratio(
        "io post CPU per task",
        "boost::asio::thread_pool",
        "1.0",
        [&] { pool_tasks(*pool); },
        [&] { asio_tasks(asio); });
    print_ratio(
        "io timer create and cancel CPU",
        "boost::asio::steady_timer",
        "1.0",
        [&] { pool_timers(*pool); },
        [&] { asio_timers(asio); });
    ScratchFile file;
    print_ratio(
        "io 4 KiB read CPU", "pread", "1.1", [&] { file.read_file(); }, [&] { file.read_bare(); });
    print_ratio(
        "io 4 KiB write CPU",
        "pwrite",
        "1.1",
        [&] { file.write_file(); },
        [&] { file.write_bare(); });
}

}  // namespace
}  // namespace draco::io

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    draco::io::print_ratios();
    draco::io::print_network_ratios();
    return 0;
}
