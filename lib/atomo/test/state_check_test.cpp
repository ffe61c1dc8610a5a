#include "draco/atomo/state_check.hpp"

#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"

#include "faulty_storage.hpp"
#include "ledger_model.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <iterator>

namespace draco::atomo {
namespace {

// A database of 300 accounts on disk, closed.
class StateCheck : public ::testing::Test {
protected:
    StateCheck() {
        auto writer = *open_database<Ledger>(open());
        const auto committed = writer.commit([](Transaction<Ledger>& tx) -> Result<> {
            for (std::uint64_t i = 0; i < 300; ++i)
                DRACO_TRY_VOID(tx.put(kAccounts, address(i), {i, 0, "n"}));
            return {};
        });
        root_ = committed->root;
    }

    std::unique_ptr<Storage> open() const { return *open_rocks_storage(options_); }

    // The keys of the space that begins with `first`: a table's, or 0xFE for the tree's pages.
    static std::vector<Bytes> keys(const Storage& storage, std::uint8_t first) {
        std::vector<Bytes> found;
        const auto snapshot = *storage.snapshot();
        const std::uint8_t prefix[] = {first};
        const auto cursor = snapshot->scan(KeyInterval::with_prefix(prefix), Order::Ascending);
        while (const auto entry = *cursor->next()) found.push_back(to_bytes(entry->key));
        return found;
    }

    static void flip_bit(Storage& storage, const Bytes& key, std::size_t byte) {
        Bytes scratch;
        Bytes value = to_bytes(**(*storage.snapshot())->get(key, scratch));
        value[byte % value.size()] ^= 1;
        ASSERT_TRUE(storage.commit(std::vector<StorageWrite>{{key, value}}));
    }

    TemporaryDirectory directory_;
    RocksOptions options_{.path = directory_.path(), .durability = Durability::Buffered};
    StateRoot root_;
};

TEST_F(StateCheck, AcceptsWhatIsWhole) {
    // The report counts the entries and names the root.
    const auto report = verify_state(*open());
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
    EXPECT_EQ(report->entries, 300U);
    EXPECT_EQ(report->root, root_);
    EXPECT_EQ(verify_state(*open_memory_storage()).error().code, Errc::NotFound);
}

TEST_F(StateCheck, FindsADamagedEntry) {
    // One bit of one value: Corrupt. Rebuilding trusts the entries and leads to another root.
    const auto storage = open();
    flip_bit(*storage, keys(*storage, kAccounts.kId)[150], 0);
    EXPECT_EQ(verify_state(*storage).error().code, Errc::Corrupt);
    const auto rebuilt = rebuild_state(*storage);
    ASSERT_TRUE(rebuilt.has_value()) << to_string(rebuilt.error());
    EXPECT_NE(rebuilt->root, root_);
    EXPECT_TRUE(verify_state(*storage).has_value());
}

TEST_F(StateCheck, FindsAnyDamagedPageAndRebuildsIt) {
    // One bit of any page, or a page lost: Corrupt; after a rebuild the root is the old one.
    auto storage = open();
    const auto pages = keys(*storage, 0xFE);
    ASSERT_GT(pages.size(), 100U);
    for (std::size_t i = 0; i < pages.size(); i += 29) {
        if (i % 2 == 0)
            flip_bit(*storage, pages[i], i);
        else
            ASSERT_TRUE(storage->commit(std::vector<StorageWrite>{{pages[i], std::nullopt}}));
        EXPECT_EQ(verify_state(*storage).error().code, Errc::Corrupt) << i;
        const auto rebuilt = rebuild_state(*storage);
        ASSERT_TRUE(rebuilt.has_value()) << to_string(rebuilt.error());
        EXPECT_EQ(rebuilt->root, root_);
        EXPECT_TRUE(verify_state(*storage).has_value());
    }
    EXPECT_EQ(keys(*storage, 0xFE), pages);
    const auto writer = open_database<Ledger>(std::move(storage));
    EXPECT_EQ(writer->reader().snapshot().root(), root_);
}

TEST_F(StateCheck, AnInterruptedRebuildCanBeRunAgain) {
    // Stopped after any number of commits: Unavailable to open and check until it has run through.
    for (int commits = 1; commits < 4; ++commits) {
        const auto plan = std::make_shared<FaultPlan>();
        plan->commits_until_failure = commits;
        FaultyStorage stopping(open(), plan);
        ASSERT_FALSE(rebuild_state(stopping).has_value());
        EXPECT_EQ(verify_state(stopping).error().code, Errc::Unavailable);
        plan->commits_until_failure = -1;
        EXPECT_EQ(rebuild_state(stopping)->root, root_);
    }
}

}  // namespace
}  // namespace draco::atomo
