// One million random keys in memory: the cost of an update by batch size, of a proof, and of
// verifying one against the bare cost of its hashes.

#include "draco/sparse_merkle/node_hash.hpp"
#include "draco/sparse_merkle/proof.hpp"
#include "draco/sparse_merkle/rebuild.hpp"
#include "draco/sparse_merkle/tree.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

namespace draco::sparse_merkle {
namespace {

constexpr std::size_t kKeys = 1'000'000;

class HashMapStore final : public PageStore {
public:
    Result<void> read(std::span<const PageId> ids, const ReadVisitor& visit) const override {
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (const auto page = pages_.find(ids[i]); page != pages_.end())
                DRACO_TRY_VOID(visit(i, page->second));
        return {};
    }

    Result<void> scan(std::uint8_t depth, const ScanVisitor& visit) const override {
        std::vector<PageId> ids;
        for (const auto& [id, page] : pages_)
            if (id.depth() == depth) ids.push_back(id);
        std::ranges::sort(ids);
        for (const PageId& id : ids) DRACO_TRY_VOID(visit(id, pages_.at(id)));
        return {};
    }

    void apply(std::vector<PageWrite> writes) {
        for (PageWrite& write : writes) {
            if (write.page)
                pages_.insert_or_assign(write.id, *std::move(write.page));
            else
                pages_.erase(write.id);
        }
    }

private:
    std::unordered_map<PageId, Bytes> pages_;
};

template <class Fixed>
Fixed random_fixed(std::mt19937_64& rng) {
    Fixed value;
    for (std::size_t i = 0; i < Fixed::kSize; i += 8) store_le(value.data() + i, rng());
    return value;
}

template <class T>
T must(Result<T> result) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
    std::abort();
}

struct World {
    std::vector<Key> keys;
    HashMapStore store;
    Sha256Tree tree;
    std::mt19937_64 rng{1};

    World() {
        for (std::size_t i = 0; i < kKeys; ++i) keys.push_back(random_fixed<Key>(rng));
        std::ranges::sort(keys);
        std::size_t next = 0;
        const LeafSource leaves = [&]() -> Result<std::optional<Leaf>> {
            if (next == keys.size()) return std::nullopt;
            return Leaf{keys[next++], random_fixed<ValueHash>(rng)};
        };
        tree = must(rebuild<Sha256Nodes>(leaves, [&](std::vector<PageWrite> writes) {
            store.apply(std::move(writes));
            return Result<void>();
        }));
    }

    std::vector<Change> batch(std::size_t size) {
        std::vector<Change> changes;
        changes.reserve(size);
        for (std::size_t i = 0; i < size; ++i)
            changes.push_back({keys[rng() % kKeys], random_fixed<ValueHash>(rng)});
        std::ranges::sort(changes, {}, &Change::key);
        const auto same = std::ranges::unique(changes, {}, &Change::key);
        changes.erase(same.begin(), same.end());
        return changes;
    }
};

World& world() {
    static World only;
    return only;
}

void BM_Tree_Update(benchmark::State& state) {
    World& w = world();
    std::size_t rows = 0;
    std::size_t bytes = 0;
    for (auto _ : state) {
        state.PauseTiming();
        const auto changes = w.batch(static_cast<std::size_t>(state.range(0)));
        state.ResumeTiming();
        auto update = must(w.tree.update(w.store, changes));
        state.PauseTiming();
        for (const PageWrite& write : update.writes) {
            ++rows;
            bytes += write.id.view().size() + (write.page ? write.page->size() : 0);
        }
        w.store.apply(std::move(update.writes));
        w.tree = std::move(update.next);
        state.ResumeTiming();
    }
    using benchmark::Counter;
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.counters["pages_per_batch"] = Counter(static_cast<double>(rows), Counter::kAvgIterations);
    state.counters["bytes_per_batch"] =
        Counter(static_cast<double>(bytes), Counter::kAvgIterations);
}

BENCHMARK(BM_Tree_Update)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_Tree_Prove(benchmark::State& state) {
    World& w = world();
    for (auto _ : state)
        benchmark::DoNotOptimize(must(w.tree.prove(w.store, w.keys[w.rng() % kKeys])));
}

BENCHMARK(BM_Tree_Prove)->Unit(benchmark::kMicrosecond);

void BM_Tree_Open(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) benchmark::DoNotOptimize(must(Sha256Tree::open(w.store, w.tree.root())));
}

BENCHMARK(BM_Tree_Open)->Unit(benchmark::kMillisecond)->Iterations(2);

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

// Median CPU seconds of `ours` and `peer`, taken in turns.
template <class Ours, class Peer>
std::pair<double, double> interleaved(int rounds, Ours ours, Peer peer) {
    std::vector<double> ours_s;
    std::vector<double> peer_s;
    for (int i = 0; i < rounds; ++i) {
        const double start = cpu_seconds();
        ours();
        const double middle = cpu_seconds();
        peer();
        ours_s.push_back(middle - start);
        peer_s.push_back(cpu_seconds() - middle);
    }
    return {median(std::move(ours_s)), median(std::move(peer_s))};
}

}  // namespace

// Verification of 1,000 proofs against the bare hashes: the same number of calls, each over the 64
// bytes that hold the previous digest.
static void print_verification_ratio() {
    World& w = world();
    std::vector<Change> statements = w.batch(1000);
    auto update = must(w.tree.update(w.store, statements));
    w.store.apply(std::move(update.writes));
    w.tree = std::move(update.next);
    std::vector<Bytes> proofs;
    proofs.reserve(statements.size());
    for (const Change& statement : statements)
        proofs.push_back(must(w.tree.prove(w.store, statement.key)));

    const auto verify = [&] {
        for (std::size_t i = 0; i < proofs.size(); ++i)
            if (!verify_membership<Sha256Nodes>(
                    w.tree.root(), statements[i].key, *statements[i].value_hash, proofs[i]))
                std::abort();
    };
    const auto hash = [&] {
        std::array<std::uint8_t, kNodeBytes> node{};
        for (const Bytes& proof : proofs) {
            Sha256Nodes::hash_leaves(node.data(), node.data(), 1);
            for (unsigned depth = load_le<std::uint16_t>(&proof[2]); depth > 0; --depth)
                Sha256Nodes::hash_inner(node.data(), node.data(), 1);
        }
        benchmark::DoNotOptimize(node);
    };
    const auto [ours_s, peer_s] = interleaved(501, verify, hash);
    std::printf(
        "verification: %.0f ns per proof, its hashes alone %.0f ns\n", 1e6 * ours_s, 1e6 * peer_s);
    std::printf("ratio proof_verification: %.2f (target <= 1.30) peer=bare hashes of the proof\n",
                ours_s / peer_s);
}

}  // namespace draco::sparse_merkle

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    draco::sparse_merkle::print_verification_ratio();
}
