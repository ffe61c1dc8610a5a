// Objects put durably and read back, beside the same bytes as plain files on the same disk:
// written, synced, renamed, and their directory synced; read with positional reads. The two run in
// turn; medians are compared. Then a file of 2 GiB, in and out, with the memory that it takes.

#include "draco/blake3_tree/hasher.hpp"
#include "draco/blockstore/blockstore.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/log/log.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace draco::blockstore {
namespace {

using blake3_tree::kBlockBytes;

constexpr std::size_t kTurns = 9;

// In the working directory, which is on a real disk where /tmp may not be.
class Scratch {
public:
    Scratch() : root_("blockstore-bench-XXXXXX") {
        if (::mkdtemp(root_.data()) == nullptr) std::abort();
        disk_ = io::PosixDisk::open_root(root_).value();
        store_ = open(*disk_, {}, log_).value();
        if (!disk_->create_directory("plain")) std::abort();
    }

    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    ~Scratch() {
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    interfaces::Blockstore& store() { return *store_; }

    // A different content each time.
    types::ContentHash put(Bytes& bytes) {
        change(bytes);
        auto writer = store_->write_file().value();
        if (!writer->write(bytes)) std::abort();
        return writer->finish().value().hash;
    }

    std::string put_plain(Bytes& bytes) {
        change(bytes);
        const std::string name = "plain/" + std::to_string(count_);
        {
            const auto file = disk_->open("plain/new", OpenMode::CreateNew).value();
            if (!file->write_at(0, bytes) || !file->sync()) std::abort();
        }
        if (!disk_->rename("plain/new", name) || !disk_->sync_directory("plain")) std::abort();
        return name;
    }

    std::unique_ptr<File> plain(const std::string& name) {
        return disk_->open(name, OpenMode::Read).value();
    }

    void remove(const types::ContentHash& hash) {
        if (!store_->remove(hash)) std::abort();
    }

    void remove_plain(const std::string& name) {
        if (!disk_->remove(name)) std::abort();
    }

private:
    void change(Bytes& bytes) { store_le(bytes.data(), ++count_); }

    std::string root_;
    std::unique_ptr<io::PosixDisk> disk_;
    log::NullLog log_;
    std::unique_ptr<interfaces::Blockstore> store_;
    std::uint64_t count_ = 0;
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

void print(const char* what,
           std::size_t bytes,
           std::vector<double> own,
           std::vector<double> plain,
           std::size_t files,
           const char* peer) {
    std::printf("ratio blockstore/%s/%zu: %.2f (%.1f MB/s, %.0f files/s) peer=%s\n",
                what,
                bytes,
                median(plain) / median(own),
                static_cast<double>(bytes * files) / median(own) / 1e6,
                static_cast<double>(files) / median(own),
                peer);
}

void compare_writes(Scratch& scratch, std::size_t bytes, std::size_t files) {
    Bytes content(bytes, 0x5a);
    std::vector<double> own;
    std::vector<double> plain;
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        std::vector<types::ContentHash> hashes;
        std::vector<std::string> names;
        own.push_back(seconds([&] {
            for (std::size_t i = 0; i < files; ++i) hashes.push_back(scratch.put(content));
        }));
        plain.push_back(seconds([&] {
            for (std::size_t i = 0; i < files; ++i) names.push_back(scratch.put_plain(content));
        }));
        for (const auto& hash : hashes) scratch.remove(hash);
        for (const auto& name : names) scratch.remove_plain(name);
    }
    print("put", bytes, own, plain, files, "write+fdatasync+rename+fsync(directory)");
}

void compare_reads(Scratch& scratch, std::size_t bytes, std::size_t rounds) {
    Bytes content(bytes, 0x5a);
    const auto hash = scratch.put(content);
    const auto name = scratch.put_plain(content);
    std::vector<double> own;
    std::vector<double> plain;
    std::uint64_t sum = 0;  // so that nothing is optimised away
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        own.push_back(seconds([&] {
            for (std::size_t i = 0; i < rounds; ++i) {
                const auto object = scratch.store().open(hash).value();
                for (std::uint64_t block = 0; block < object->info().leaves; ++block)
                    sum += object->read_block(block).value().size();
            }
        }));
        plain.push_back(seconds([&] {
            for (std::size_t i = 0; i < rounds; ++i) {
                const auto file = scratch.plain(name);
                for (std::uint64_t at = 0; at < bytes; at += kBlockBytes) {
                    Bytes block(std::min<std::uint64_t>(kBlockBytes, bytes - at));
                    sum += file->read_at(at, block).value();
                }
            }
        }));
    }
    benchmark::DoNotOptimize(sum);
    print("read", bytes, own, plain, rounds, "open+pread");
    scratch.remove(hash);
    scratch.remove_plain(name);
}

// Of this process, from the system.
std::uint64_t status_kib(std::string_view key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key)) return std::stoull(line.substr(key.size()));
    return 0;
}

void stream_large(Scratch& scratch, std::uint64_t bytes) {
    // Forgets the peak of what ran before.
    std::ofstream("/proc/self/clear_refs") << "5";
    const std::uint64_t before = status_kib("VmRSS:");
    Bytes piece(kBlockBytes, 0x5a);
    types::ContentHash hash;
    const double in = seconds([&] {
        auto writer = scratch.store().write_file().value();
        for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
            store_le(piece.data(), at);
            if (!writer->write(piece)) std::abort();
        }
        hash = writer->finish().value().hash;
    });
    const double out = seconds([&] {
        const auto object = scratch.store().open(hash).value();
        for (std::uint64_t block = 0; block < object->info().leaves; ++block)
            if (!object->read_block(block)) std::abort();
    });
    std::printf("blockstore/stream/%lu MiB: in %.1f s, out %.1f s, %lu KiB of memory at the peak\n",
                bytes >> 20U,
                in,
                out,
                status_kib("VmHWM:") - before);
    scratch.remove(hash);
}

void verified_block(benchmark::State& state) {
    Scratch scratch;
    Bytes content(16 * kBlockBytes, 0x5a);
    const auto object = scratch.store().open(scratch.put(content)).value();
    std::uint64_t block = 0;
    for (auto _ : state) benchmark::DoNotOptimize(object->read_block(block++ % 16).value().data());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBlockBytes));
}

BENCHMARK(verified_block);

}  // namespace
}  // namespace draco::blockstore

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    draco::blockstore::Scratch scratch;
    draco::blockstore::compare_writes(scratch, 1000, 40);
    draco::blockstore::compare_writes(scratch, 100'000, 20);
    draco::blockstore::compare_writes(scratch, 16 << 20, 2);
    draco::blockstore::compare_reads(scratch, 1000, 2000);
    draco::blockstore::compare_reads(scratch, 100'000, 1000);
    draco::blockstore::compare_reads(scratch, 64 << 20, 3);
    draco::blockstore::stream_large(scratch, std::uint64_t{2} << 30U);
    return 0;
}
