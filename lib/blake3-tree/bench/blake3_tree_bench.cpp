// Figures of this module, most of them against Debian's b3sum on the same file in the page cache.
//
// The peer is measured as a whole process, so this program starts itself as a process that hashes a
// file (--read, --map) and compares processor time (user + system) and wall time of both. Runs
// alternate and medians are compared, because the machine is shared. Ratios are throughputs: ours
// over the peer's.

#include "draco/blake3_tree/parallel.hpp"
#include "draco/blake3_tree/range_proof.hpp"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>

namespace draco::blake3_tree {
namespace {

using Clock = std::chrono::steady_clock;

// ---- inside the process

Bytes random_bytes(std::size_t count) {
    std::mt19937_64 rng(1);
    Bytes bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
    return bytes;
}

std::vector<Hash> synthetic_leaves(std::size_t count) {
    std::vector<Hash> leaves(count);
    for (std::size_t i = 0; i < count; ++i) store_le(leaves[i].data(), std::uint64_t{i});
    return leaves;
}

void BM_Hash(benchmark::State& state, InstructionSet set) {
    if (!is_supported(set)) return state.SkipWithError("not on this processor");
    const Bytes input = random_bytes(static_cast<std::size_t>(state.range(0)));
    const Mode mode = Mode::plain().on(set);
    for (auto _ : state) benchmark::DoNotOptimize(hash(input, mode));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(BM_Hash, Portable, InstructionSet::Portable)->Arg(64)->Arg(kBlockBytes);
BENCHMARK_CAPTURE(BM_Hash, Sse41, InstructionSet::Sse41)->Arg(64)->Arg(kBlockBytes);
BENCHMARK_CAPTURE(BM_Hash, Avx2, InstructionSet::Avx2)->Arg(64)->Arg(kBlockBytes);
BENCHMARK_CAPTURE(BM_Hash, Avx512, InstructionSet::Avx512)->Arg(64)->Arg(kBlockBytes);

// Proofs and their verification, over every leaf of a file of 2,000 blocks.
class ProofBench {
public:
    static constexpr std::uint64_t kBlocks = 2000;

    ProofBench() : tree_(HashTree::from_leaves(synthetic_leaves(kBlocks))) {
        for (std::uint64_t i = 0; i < kBlocks; ++i) {
            initial_.push_back(to_bytes(initial_proof(tree_.view(), i).bytes()));
            resume_.push_back(to_bytes(resume_proof(tree_.view(), i).bytes()));
        }
    }

    void generate_initial() const {
        for (std::uint64_t i = 0; i < kBlocks; ++i)
            benchmark::DoNotOptimize(initial_proof(tree_.view(), i).bytes().data());
    }

    void generate_resume() const {
        for (std::uint64_t i = 0; i < kBlocks; ++i)
            benchmark::DoNotOptimize(resume_proof(tree_.view(), i).bytes().data());
    }

    void verify_initial() const {
        for (std::uint64_t i = 0; i < kBlocks; ++i) {
            TreeVerifier verifier(tree_.root(), i, Mode::plain());
            const bool is_good =
                verifier.feed_proof(initial_[i]) && verifier.accept_leaf(tree_.leaf(i));
            if (!is_good) std::abort();
        }
    }

    void verify_resume() const {
        TreeVerifier verifier(tree_.root(), 0, Mode::plain());
        for (std::uint64_t i = 0; i < kBlocks; ++i) {
            const bool is_good = verifier.feed_proof(i == 0 ? initial_[0] : resume_[i]) &&
                                 verifier.accept_leaf(tree_.leaf(i));
            if (!is_good) std::abort();
        }
    }

private:
    HashTree tree_;
    std::vector<Bytes> initial_;
    std::vector<Bytes> resume_;
};

template <void (ProofBench::*Run)() const>
void BM_Proof(benchmark::State& state) {
    const ProofBench bench;
    for (auto _ : state) (bench.*Run)();
    state.SetItemsProcessed(state.iterations() * std::int64_t{ProofBench::kBlocks});
}

BENCHMARK(BM_Proof<&ProofBench::generate_initial>)->Name("BM_Proof_GenerateInitial/2000");
BENCHMARK(BM_Proof<&ProofBench::generate_resume>)->Name("BM_Proof_GenerateResume/2000");
BENCHMARK(BM_Proof<&ProofBench::verify_initial>)->Name("BM_Proof_VerifyInitial/2000");
BENCHMARK(BM_Proof<&ProofBench::verify_resume>)->Name("BM_Proof_VerifyResume/2000");

double cpu_seconds_of(const std::function<void()>& work) {
    const auto now = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    };
    const double start = now();
    work();
    return now() - start;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_proof_costs() {
    const ProofBench bench;
    const auto per_proof = [](const std::function<void()>& work) {
        std::vector<double> seconds;
        for (int run = 0; run < 51; ++run) seconds.push_back(cpu_seconds_of(work));
        return median(seconds) / ProofBench::kBlocks * 1e9;
    };
    std::printf(
        "ratio blake3_tree_proof_generation_ns: %.0f (target <= 150) peer=none, initial, "
        "2000 blocks; resume %.0f\n",
        per_proof([&] { bench.generate_initial(); }),
        per_proof([&] { bench.generate_resume(); }));
    std::printf(
        "ratio blake3_tree_proof_verification_us: %.2f (target <= 2) peer=none, initial, "
        "2000 blocks; resume %.2f\n",
        per_proof([&] { bench.verify_initial(); }) / 1000,
        per_proof([&] { bench.verify_resume(); }) / 1000);
}

void print_streaming_cost() {
    const Bytes content = random_bytes(256 * kBlockBytes);
    const HashTree tree = build_tree_parallel(content, 1);
    const auto hash_stream = [&] {
        Hasher hasher;
        for (std::size_t at = 0; at < content.size(); at += kBlockBytes)
            hasher.update(ByteView(content).subspan(at, kBlockBytes));
        if (hasher.finish() != tree.root()) std::abort();
    };
    const auto verify_stream = [&] {
        IncrementalVerifier verifier(tree.root());
        for (std::uint64_t i = 0; i < tree.leaf_count(); ++i) {
            const Proof proof =
                i == 0 ? initial_proof(tree.view(), 0) : resume_proof(tree.view(), i);
            const ByteView block = ByteView(content).subspan(i * kBlockBytes, kBlockBytes);
            if (!verifier.feed_proof(proof.bytes()) || !verifier.verify_block(block)) std::abort();
        }
    };
    std::vector<double> hashed;
    std::vector<double> verified;
    for (int run = 0; run < 41; ++run) {
        hashed.push_back(cpu_seconds_of(hash_stream));
        verified.push_back(cpu_seconds_of(verify_stream));
    }
    std::printf(
        "ratio blake3_tree_verified_streaming_cost: %.3f (target <= 1.05) peer=hashing the "
        "same 64 MiB\n",
        median(verified) / median(hashed));
}

// ---- whole processes

class ReadOnlyFile final : public File {
public:
    explicit ReadOnlyFile(const char* path) : descriptor_(open(path, O_RDONLY | O_CLOEXEC)) {}

    ~ReadOnlyFile() override { close(descriptor_); }

    ReadOnlyFile(const ReadOnlyFile&) = delete;
    ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t read = pread(descriptor_,
                                       out.data() + done,
                                       out.size() - done,
                                       static_cast<off_t>(offset + done));
            if (read < 0) return fail(Errc::Io, "pread failed");
            if (read == 0) break;
            done += static_cast<std::size_t>(read);
        }
        return done;
    }

    Result<> write_at(std::uint64_t, ByteView) override { return fail(Errc::Io, "read-only"); }

    Result<> truncate(std::uint64_t) override { return fail(Errc::Io, "read-only"); }

    Result<> preallocate(std::uint64_t) override { return fail(Errc::Io, "read-only"); }

    Result<> sync() override { return {}; }

    Result<std::uint64_t> size() const override {
        struct stat status{};
        if (fstat(descriptor_, &status) != 0) return fail(Errc::Io, "fstat failed");
        return static_cast<std::uint64_t>(status.st_size);
    }

private:
    int descriptor_;
};

int print_hash(const Hash& hash) {
    for (const std::uint8_t byte : hash.bytes) std::printf("%02x", byte);
    std::printf("\n");
    return 0;
}

// The processes that are measured: the file read, or mapped as b3sum does it.
int run_read(const char* path, unsigned threads) {
    const auto hashed = hash_file(ReadOnlyFile(path), threads);
    return hashed ? print_hash(*hashed) : 1;
}

int run_mapped(const char* path, unsigned threads) {
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (fstat(descriptor, &status) != 0) return 1;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED) return 1;
    return print_hash(hash_parallel({static_cast<const std::uint8_t*>(mapped), size}, threads));
}

struct Cost {
    double cpu_seconds;
    double wall_seconds;
};

using Command = std::vector<std::string>;

Cost run(const Command& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const auto start = Clock::now();
    pid_t child = 0;
    int status = -1;
    rusage usage{};
    if (posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0)
        wait4(child, &status, 0, &usage);
    const std::chrono::duration<double> wall = Clock::now() - start;
    posix_spawn_file_actions_destroy(&actions);
    if (status != 0) {
        std::fprintf(stderr, "%s failed: install Debian's b3sum\n", command[0].c_str());
        std::exit(1);
    }
    const auto seconds = [](timeval time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), wall.count()};
}

void compare(const char* name, const Command& ours, const Command& peer, const char* peer_name) {
    constexpr int kRuns = 11;
    std::vector<double> ours_cpu;
    std::vector<double> ours_wall;
    std::vector<double> peer_cpu;
    std::vector<double> peer_wall;
    for (int i = 0; i < kRuns; ++i) {
        const Cost a = run(ours);
        const Cost b = run(peer);
        ours_cpu.push_back(a.cpu_seconds);
        ours_wall.push_back(a.wall_seconds);
        peer_cpu.push_back(b.cpu_seconds);
        peer_wall.push_back(b.wall_seconds);
    }
    std::printf("ratio blake3_%s_cpu: %.2f (target >= 1.0) peer=%s\n",
                name,
                median(peer_cpu) / median(ours_cpu),
                peer_name);
    std::printf("ratio blake3_%s_wall: %.2f (target >= 1.0) peer=%s\n",
                name,
                median(peer_wall) / median(ours_wall),
                peer_name);
}

void print_file_ratios() {
    const auto path = (std::filesystem::temp_directory_path() /
                       ("draco-blake3-bench-" + std::to_string(getpid())))
                          .string();
    {
        const Bytes content = random_bytes(std::size_t{512} << 20);
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
    }
    const auto ours = [&](const char* how, unsigned threads) {
        return Command{"/proc/self/exe", how, path, std::to_string(threads)};
    };
    compare("single_thread",
            ours("--map", 1),
            {"b3sum", "--num-threads", "1", path},
            "b3sum --num-threads 1 (maps the file), 512 MiB");
    compare("single_thread_no_mmap",
            ours("--read", 1),
            {"b3sum", "--no-mmap", path},
            "b3sum --no-mmap (reads the file), 512 MiB");
    compare("all_cores",
            ours("--map", std::thread::hardware_concurrency()),
            {"b3sum", path},
            "b3sum (all cores, maps the file), 512 MiB");
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace draco::blake3_tree

int main(int argc, char** argv) {
    using namespace draco::blake3_tree;
    if (argc == 4) {
        const auto threads = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
        if (std::string_view(argv[1]) == "--read") return run_read(argv[2], threads);
        if (std::string_view(argv[1]) == "--map") return run_mapped(argv[2], threads);
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    print_proof_costs();
    print_streaming_cost();
    print_file_ratios();
    return 0;
}
