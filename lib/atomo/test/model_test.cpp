#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"
#include "draco/atomo/state_check.hpp"
#include "draco/testing/seed.hpp"

#include "ledger_model.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace draco::atomo {
namespace {

using Random = std::mt19937_64;

Bytes random_bytes(Random& random, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

void expect_holds(const Snapshot<Ledger>& snapshot, const LedgerModel& model) {
    const auto all = read_all(snapshot);
    ASSERT_TRUE(all.has_value()) << to_string(all.error());
    ASSERT_EQ(*all, model);
    // All at once, repeated, with some that are not there.
    std::vector<Address> addresses;
    for (std::uint64_t i = 0; i < 40; ++i) addresses.push_back(address(i * 7 % 32));
    const auto many = snapshot.get_many(kAccounts, std::span<const Address>(addresses));
    ASSERT_TRUE(many.has_value()) << to_string(many.error());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto account = model.accounts.find(addresses[i]);
        ASSERT_EQ((*many)[i].has_value(), account != model.accounts.end());
        if ((*many)[i]) ASSERT_EQ(*(*many)[i], account->second);
    }
    ASSERT_EQ(snapshot.root(), root_of(model, snapshot.committed().hash()));
}

// Every account the model may hold is provably there or provably not.
void expect_provable(const Snapshot<Ledger>& snapshot, const LedgerModel& model) {
    const TrustedRoot trusted{snapshot.root(), snapshot.committed().hash()};
    for (std::uint64_t i = 0; i < 24; ++i) {
        const auto proof = snapshot.prove(kAccounts, address(i));
        ASSERT_TRUE(proof.has_value()) << to_string(proof.error());
        const auto account = model.accounts.find(address(i));
        const auto verified =
            account == model.accounts.end()
                ? verify_absent(trusted, kAccounts, address(i), *proof)
                : verify_present(trusted, kAccounts, address(i), account->second, *proof);
        ASSERT_TRUE(verified.has_value()) << to_string(verified.error());
    }
}

TEST(Model, MemoryAgreesThroughCommitsAbortsAndOldSnapshots) {
    // Random transactions: reads, scans, roots and proofs are those of the maps, in the newest
    // state and in snapshots that are kept while later commits land.
    Random random(testing::test_seed(21));
    for (std::uint64_t run = 0; run < testing::scaled(6); ++run) {
        const auto hash = run % 2 == 0 ? StateHash::Sha256 : StateHash::Keccak256;
        auto writer = *open_database<Ledger>(open_memory_storage(), hash);
        const Bytes bytes = random_bytes(random, 3000);
        Decisions decide(bytes);
        LedgerModel model;
        std::deque<std::pair<Snapshot<Ledger>, LedgerModel>> kept;
        while (!decide.empty()) {
            const auto step = run_step(writer, model, decide);
            ASSERT_TRUE(step.has_value()) << to_string(step.error());
            const auto snapshot = writer.reader().snapshot();
            expect_holds(snapshot, model);
            if (*step) ASSERT_EQ((*step)->root, snapshot.root());
            kept.emplace_back(snapshot, model);
            if (kept.size() > 6) kept.pop_front();
            expect_holds(kept.front().first, kept.front().second);
            if (decide.below(8) == 0) expect_provable(kept.front().first, kept.front().second);
        }
    }
}

TEST(Model, RocksAgreesThroughReopens) {
    // The same on RocksDB with small write buffers (so that there are tables on disk), closed and
    // opened at random; the offline check passes every time.
    Random random(testing::test_seed(22));
    const TemporaryDirectory directory;
    const RocksOptions options{.path = directory.path(),
                               .durability = Durability::Buffered,
                               .write_buffer_bytes = std::size_t{64} << 10};
    constexpr auto kHash = StateHash::Keccak256;
    auto writer = std::make_optional(*open_database<Ledger>(*open_rocks_storage(options), kHash));
    const Bytes bytes = random_bytes(random, 4000 * testing::scaled(1));
    Decisions decide(bytes);
    LedgerModel model;
    while (!decide.empty()) {
        const auto step = run_step(*writer, model, decide);
        ASSERT_TRUE(step.has_value()) << to_string(step.error());
        if (decide.below(8) != 0) continue;
        expect_provable(writer->reader().snapshot(), model);
        writer.reset();
        {
            const auto storage = *open_rocks_storage_read_only(options);
            const auto report = verify_state(*storage);
            ASSERT_TRUE(report.has_value()) << to_string(report.error());
            ASSERT_EQ(report->entries, model.accounts.size() + model.positions.size());
        }
        writer = *open_database<Ledger>(*open_rocks_storage(options), kHash);
        expect_holds(writer->reader().snapshot(), model);
    }
}

TEST(Model, FindsAPlantedDifference) {
    // The checker can fail: an entry that only the maps have is noticed.
    auto writer = *open_database<Ledger>(open_memory_storage());
    LedgerModel model;
    model.cache.emplace("planted", Bytes{1});
    const Bytes bytes{5, 0, 0, 1, 1};
    Decisions decide(bytes);
    const auto step = run_step(writer, model, decide);
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code, Errc::Corrupt);
}

}  // namespace
}  // namespace draco::atomo
