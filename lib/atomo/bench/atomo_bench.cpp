// The figures of the README, each against raw RocksDB with the same options and durability in the
// same run. Times are CPU times of the calling thread; the sides take turns and medians are
// compared, because machines are shared.
//
//     draco_atomo_bench [KEYS [memory|rocks]]     1,000,000 and both unless told

#include "draco/atomo/database.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"

#include <benchmark/benchmark.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

using namespace draco::atomo;  // NOLINT(google-build-using-namespace): one program
using draco::Bytes;
using draco::Result;

constexpr std::size_t kBatch = 1000;
constexpr std::size_t kReadsPerSnapshot = 100;

using Address = draco::FixedBytes<struct AddressTag, 32>;

struct Account {
    std::uint64_t balance = 0;
    std::uint64_t nonce = 0;
    Address code;
};

constexpr Table<1, "accounts", Address, Account> kAccounts;
constexpr Table<1, "accounts", Address, Account, Authenticated::No> kPlain;
using Random = std::mt19937_64;

void require(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
}

double thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double cpu_ns_of(const std::function<void()>& work) {
    const double start = thread_cpu_ns();
    work();
    return thread_cpu_ns() - start;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_ratio(const char* name, double value, const char* bound, const char* peer) {
    std::printf("ratio %s: %.2f (target %s) peer=%s\n", name, value, bound, peer);
    std::fflush(stdout);
}

// Spread like hashes: a bijection of 64 bits, then the number itself.
Address address(std::uint64_t number) {
    Address address;
    std::uint64_t mixed = number * 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    draco::store_be(address.data(), mixed);
    draco::store_be(address.data() + 8, number);
    return address;
}

struct Update {
    Address key;
    Account value;
};

std::vector<Update> draw_updates(Random& random, std::uint64_t keys) {
    std::vector<Update> updates(kBatch);
    for (auto& [key, value] : updates) value = {random(), random(), key = address(random() % keys)};
    return updates;
}

// Raw RocksDB, with the options that atomo uses.
class Raw {
public:
    explicit Raw(const std::string& path) {
        rocksdb::Options options;
        options.create_if_missing = true;
        options.compression = rocksdb::kNoCompression;
        options.allow_concurrent_memtable_write = false;
        options.memtable_insert_with_hint_prefix_extractor.reset(
            rocksdb::NewFixedPrefixTransform(1));
        rocksdb::BlockBasedTableOptions table;
        // As much memory as atomo has, which keeps pages of its tree in some of it.
        table.block_cache = rocksdb::NewLRUCache(RocksOptions().block_cache_bytes +
                                                 RocksOptions().page_cache_bytes);
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
        table.cache_index_and_filter_blocks = true;
        table.pin_l0_filter_and_index_blocks_in_cache = true;
        options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
        rocksdb::DB* db = nullptr;
        require(rocksdb::DB::Open(options, path, &db).ok(), "opening raw RocksDB");
        db_.reset(db);
    }

    void put(std::span<const Update> updates) {
        rocksdb::WriteBatch batch;
        for (const auto& [key, value] : updates) {
            const Bytes bytes = BcsCodec::encode(value);
            batch.Put(raw_key(key), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        }
        require(db_->Write({}, &batch).ok(), "raw write");
    }

    void get(const Address& key) {
        rocksdb::PinnableSlice value;
        require(db_->Get({}, db_->DefaultColumnFamily(), raw_key(key), &value).ok(), "raw get");
        benchmark::DoNotOptimize(value.data());
    }

private:
    static std::string raw_key(const Address& key) {
        std::string bytes(1, '\1');
        return bytes.append(reinterpret_cast<const char*>(key.data()), key.size());
    }

    std::unique_ptr<rocksdb::DB> db_;
};

template <auto TableOf>
class Atomo {
public:
    using S = Schema<TableOf>;

    explicit Atomo(std::unique_ptr<Storage> storage)
        : writer_(*open_database<S>(std::move(storage))), reader_(writer_.reader()) {}

    void put(std::span<const Update> updates) {
        const auto committed = writer_.commit([&](Transaction<S>& tx) -> Result<> {
            for (const auto& [key, value] : updates) DRACO_TRY_VOID(tx.put(TableOf, key, value));
            return {};
        });
        require(committed.has_value(), "atomo commit");
    }

    Snapshot<S> snapshot() const { return reader_.snapshot(); }

    static void get(const Snapshot<S>& snapshot, const Address& key) {
        const auto value = snapshot.get(TableOf, key);
        require(value.has_value() && value->has_value(), "atomo get");
        benchmark::DoNotOptimize((*value)->balance);
    }

private:
    Writer<S> writer_;
    Reader<S> reader_;
};

template <auto TableOf>
std::unique_ptr<Atomo<TableOf>> open_rocks(const std::string& path) {
    return std::make_unique<Atomo<TableOf>>(
        *open_rocks_storage({.path = path, .durability = Durability::Buffered}));
}

template <class Database>
void fill(Database& database, std::uint64_t keys) {
    constexpr std::uint64_t kFillBatch = 20'000;
    std::vector<Update> updates;
    for (std::uint64_t i = 0; i < keys; ++i) {
        updates.push_back({address(i), {i, i, address(i)}});
        if (updates.size() == kFillBatch || i + 1 == keys) {
            database.put(updates);
            updates.clear();
        }
    }
}

void measure_updates(Raw& raw,
                     Atomo<kPlain>& plain,
                     Atomo<kAccounts>& authenticated,
                     std::uint64_t keys) {
    Random random(1);
    std::vector<double> raw_ns;
    std::vector<double> plain_ns;
    std::vector<double> authenticated_ns;
    for (int round = 0; round < 120; ++round) {
        const auto updates = draw_updates(random, keys);
        raw_ns.push_back(cpu_ns_of([&] { raw.put(updates); }));
        plain_ns.push_back(cpu_ns_of([&] { plain.put(updates); }));
        authenticated_ns.push_back(cpu_ns_of([&] { authenticated.put(updates); }));
    }
    std::printf("update of %zu keys: raw %.0f us, atomo %.0f us, with state tree %.0f us\n",
                kBatch,
                median(raw_ns) / 1e3,
                median(plain_ns) / 1e3,
                median(authenticated_ns) / 1e3);
    print_ratio("update", median(plain_ns) / median(raw_ns), "<= 1.30", "rocksdb WriteBatch");
    print_ratio("update_with_state_tree",
                median(authenticated_ns) / median(raw_ns),
                "<= 3.00",
                "rocksdb WriteBatch");
}

// Runs `work` while another thread writes one batch after the other.
template <class Database>
double cpu_ns_under_writer(Database& database,
                           std::uint64_t keys,
                           std::uint64_t seed,
                           const std::function<void()>& work) {
    std::atomic<bool> done = false;
    std::atomic<bool> started = false;
    std::jthread writer([&] {
        Random random(seed);
        while (!done) {
            database.put(draw_updates(random, keys));
            started = true;
        }
    });
    while (!started) std::this_thread::yield();
    const double ns = cpu_ns_of(work);
    done = true;
    return ns;
}

void measure_reads(Raw& raw, Atomo<kAccounts>& authenticated, std::uint64_t keys) {
    constexpr std::size_t kReads = 20'000;
    Random random(2);
    std::vector<double> raw_ns;
    std::vector<double> atomo_ns;
    for (std::uint64_t round = 0; round < 11; ++round) {
        raw_ns.push_back(cpu_ns_under_writer(raw, keys, round, [&] {
            for (std::size_t i = 0; i < kReads; ++i) raw.get(address(random() % keys));
        }));
        atomo_ns.push_back(cpu_ns_under_writer(authenticated, keys, round, [&] {
            for (std::size_t i = 0; i < kReads / kReadsPerSnapshot; ++i) {
                const auto snapshot = authenticated.snapshot();
                for (std::size_t j = 0; j < kReadsPerSnapshot; ++j)
                    Atomo<kAccounts>::get(snapshot, address(random() % keys));
            }
        }));
    }
    std::printf("point read under a writer: raw %.0f ns, atomo %.0f ns\n",
                median(raw_ns) / kReads,
                median(atomo_ns) / kReads);
    print_ratio("read_under_writer", median(raw_ns) / median(atomo_ns), ">= 0.80", "rocksdb Get");
}

void measure_memory(std::uint64_t keys) {
    constexpr std::size_t kReads = 200'000;
    Atomo<kPlain> memory(open_memory_storage());
    fill(memory, keys);
    std::map<Address, Account> tree;
    std::unordered_map<Address, Account> hash_map;
    for (std::uint64_t i = 0; i < keys; ++i) {
        tree.emplace(address(i), Account{i, i, address(i)});
        hash_map.emplace(address(i), Account{i, i, address(i)});
    }
    Random random(3);
    std::vector<double> memory_ns;
    std::vector<double> many_ns;
    std::vector<double> tree_ns;
    std::vector<double> hash_map_ns;
    for (int round = 0; round < 11; ++round) {
        memory_ns.push_back(cpu_ns_of([&] {
            for (std::size_t i = 0; i < kReads / kReadsPerSnapshot; ++i) {
                const auto snapshot = memory.snapshot();
                for (std::size_t j = 0; j < kReadsPerSnapshot; ++j)
                    Atomo<kPlain>::get(snapshot, address(random() % keys));
            }
        }));
        many_ns.push_back(cpu_ns_of([&] {
            std::vector<Address> chosen(kReadsPerSnapshot);
            for (std::size_t i = 0; i < kReads / kReadsPerSnapshot; ++i) {
                for (Address& key : chosen) key = address(random() % keys);
                const auto found =
                    memory.snapshot().get_many(kPlain, std::span<const Address>(chosen));
                require(found && found->back(), "a batch of reads");
            }
        }));
        tree_ns.push_back(cpu_ns_of([&] {
            for (std::size_t i = 0; i < kReads; ++i)
                benchmark::DoNotOptimize(tree.find(address(random() % keys))->second.balance);
        }));
        hash_map_ns.push_back(cpu_ns_of([&] {
            for (std::size_t i = 0; i < kReads; ++i)
                benchmark::DoNotOptimize(hash_map.find(address(random() % keys))->second.balance);
        }));
    }
    std::printf(
        "memory point read: atomo %.0f ns, %.0f ns in batches of %zu, "
        "std::map %.0f ns, std::unordered_map %.0f ns\n",
        median(memory_ns) / kReads,
        median(many_ns) / kReads,
        kReadsPerSnapshot,
        median(tree_ns) / kReads,
        median(hash_map_ns) / kReads);
    constexpr const char* kTarget = "2 million reads/s per core";
    print_ratio("memory_read", 1e9 * kReads / median(many_ns) / 2e6, ">= 1.00", kTarget);
    print_ratio("memory_read_one_by_one", 1e9 * kReads / median(memory_ns) / 2e6, "none", kTarget);
    print_ratio("memory_read_to_map", median(tree_ns) / median(memory_ns), "none", "std::map");
    std::vector<double> update_ns;
    for (int round = 0; round < 31; ++round) {
        const auto updates = draw_updates(random, keys);
        update_ns.push_back(cpu_ns_of([&] { memory.put(updates); }));
    }
    std::printf("memory update of %zu keys: %.0f us\n", kBatch, median(update_ns) / 1e3);
}

void measure_rocks(std::uint64_t keys) {
    std::string directory =
        (std::filesystem::temp_directory_path() / "atomo-bench-XXXXXX").string();
    require(mkdtemp(directory.data()) != nullptr, "creating a directory");
    {
        Raw raw(directory + "/raw");
        fill(raw, keys);
        const auto plain = open_rocks<kPlain>(directory + "/plain");
        fill(*plain, keys);
        const auto authenticated = open_rocks<kAccounts>(directory + "/authenticated");
        fill(*authenticated, keys);
        measure_updates(raw, *plain, *authenticated, keys);
        measure_reads(raw, *authenticated, keys);
    }
    std::filesystem::remove_all(directory);
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    require(keys > 0, "KEYS is a positive number");
    const std::string_view only = argc > 2 ? argv[2] : "";
    require(only.empty() || only == "memory" || only == "rocks", "the part is memory or rocks");
    if (only != "rocks") measure_memory(keys);
    if (only != "memory") measure_rocks(keys);
    return 0;
}
