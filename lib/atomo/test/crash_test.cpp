#include "draco/atomo/rocks_storage.hpp"
#include "draco/atomo/state_check.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/testing/seed.hpp"

#include "ledger_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace draco::atomo {
namespace {

using Random = std::mt19937_64;

// A database on a simulated disk, the states it went through, and how much of them must survive.
class CrashingLedger {
public:
    CrashingLedger(std::uint64_t seed, Durability durability) : random_(seed), disk_(random_()) {
        options_.path = "state";
        options_.disk = &disk_;
        options_.durability = durability;
        options_.group_commits = 4;
        options_.write_buffer_bytes = std::size_t{64} << 10;
        options_.page_cache_bytes = 2000;  // a few pages: others are read again
    }

    // Opens, commits until the power fails somewhere within the next `changes_max` changes of the
    // disk, restarts, opens and checks. Returns what is wrong, if anything.
    Result<> crash_once(std::uint64_t changes_max) {
        disk_.crash_at_change(1 + random_() % changes_max);
        auto failed = run();
        if (failed.code == Errc::Corrupt) return std::unexpected(failed);
        disk_.crash();
        disk_.restart();
        return check();
    }

    // The number of commits that the checker takes for durable, whatever the Durability.
    bool require_all = false;

private:
    // Always ends in an error: the crash, or a difference to the model (Corrupt).
    Error run() {
        auto storage = open_rocks_storage(options_);
        if (!storage) return storage.error();
        auto writer = open_database<Ledger>(*std::move(storage));
        if (!writer) return writer.error();
        while (true) {
            Bytes bytes(100);
            for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
            Decisions decide(bytes);
            LedgerModel next = history_.back();
            auto step = run_step(*writer, next, decide);
            if (!step) {
                // Whether it became durable is unknown: the next state is possible too.
                Decisions again(bytes);
                in_doubt_ = possible_next(again);
                return step.error();
            }
            if (*step) {
                history_.push_back(next);
                note_commit();
            }
            if (decide.below(16) == 0) {
                if (auto synced = writer->sync(); !synced) return synced.error();
                durable_ = history_.size() - 1;
            }
        }
    }

    void note_commit() {
        const std::uint64_t version = history_.size() - 1;
        std::uint64_t may_vanish = version - durable_;
        if (options_.durability == Durability::Sync || require_all) may_vanish = 0;
        if (options_.durability == Durability::Group)
            may_vanish = std::min<std::uint64_t>(may_vanish, options_.group_commits - 1);
        durable_ = version - may_vanish;
    }

    // What the database would hold had the last step been committed.
    std::optional<LedgerModel> possible_next(Decisions& decide) const {
        auto writer = *open_database<Ledger>(open_memory_storage());
        LedgerModel next = history_.back();
        const auto filled = writer.commit([&](Transaction<Ledger>& tx) -> Result<> {
            for (const auto& [key, value] : next.accounts)
                DRACO_TRY_VOID(tx.put(kAccounts, key, value));
            for (const auto& [key, value] : next.positions)
                DRACO_TRY_VOID(tx.put(kPositions, key, value));
            for (const auto& [key, value] : next.cache) DRACO_TRY_VOID(tx.put(kCache, key, value));
            return {};
        });
        if (!filled || !run_step(writer, next, decide)) return std::nullopt;
        return next;
    }

    Result<> check() {
        {
            DRACO_TRY(storage, open_rocks_storage(options_));
            const auto verified = verify_state(*storage);
            // NotFound: it crashed before the database was first created.
            if (!verified && (verified.error().code != Errc::NotFound || durable_ > 0))
                return std::unexpected(verified.error());
        }
        DRACO_TRY(storage, open_rocks_storage(options_));
        DRACO_TRY(writer, open_database<Ledger>(std::move(storage)));
        const auto snapshot = writer.reader().snapshot();
        const std::uint64_t version = snapshot.version();
        if (version < durable_)
            return fail(Errc::Corrupt,
                        "version " + std::to_string(version) + " after a crash; " +
                            std::to_string(durable_) + " was durable");
        DRACO_TRY(all, read_all(snapshot));
        if (version == history_.size() && in_doubt_) history_.push_back(*in_doubt_);
        if (version >= history_.size() || all != history_[version])
            return fail(Errc::Corrupt,
                        "version " + std::to_string(version) + " is not the state it was");
        if (snapshot.root() != root_of(all)) return fail(Errc::Corrupt, "the root is another one");
        history_.resize(version + 1);
        in_doubt_.reset();
        durable_ = version;
        return {};
    }

    Random random_;
    simulon::SimulatedDisk disk_;
    RocksOptions options_;
    std::vector<LedgerModel> history_{LedgerModel{}};  // by version
    std::optional<LedgerModel> in_doubt_;
    std::uint64_t durable_ = 0;  // this version or a later one survives a crash
};

std::string name_of(const ::testing::TestParamInfo<Durability>& info) {
    constexpr const char* kNames[] = {"Sync", "Group", "Buffered", "Unlogged"};
    return kNames[static_cast<int>(info.param)];
}

class Crash : public ::testing::TestWithParam<Durability> {};

INSTANTIATE_TEST_SUITE_P(Durability,
                         Crash,
                         ::testing::Values(Durability::Sync,
                                           Durability::Group,
                                           Durability::Buffered,
                                           Durability::Unlogged),
                         name_of);

TEST_P(Crash, LeavesAPrefixWithAllThatWasDurable) {
    // The power fails at random writes of RocksDB, again and again on one disk: what is there
    // afterwards is a state the database was in, not older than the policy promises, and its root
    // and tree are right.
    Random seeds(testing::test_seed(31));
    for (std::uint64_t run = 0; run < testing::scaled(3); ++run) {
        const std::uint64_t seed = seeds();
        CrashingLedger ledger(seed, GetParam());
        for (int crash = 0; crash < 4; ++crash) {
            const auto checked = ledger.crash_once(crash == 0 ? 40 : 400);
            ASSERT_TRUE(checked.has_value())
                << "run " << run << ", crash " << crash << ": " << to_string(checked.error());
        }
    }
}

TEST(CrashChecker, FindsAPlantedFault) {
    // The checker can fail: asked to find all commits of a policy that does not wait for the disk,
    // it finds some missing.
    bool found = false;
    for (std::uint64_t seed = 0; seed < 20 && !found; ++seed) {
        CrashingLedger ledger(seed, Durability::Buffered);
        ledger.require_all = true;
        for (int crash = 0; crash < 5 && !found; ++crash)
            found = !ledger.crash_once(400).has_value();
    }
    EXPECT_TRUE(found);
}

}  // namespace
}  // namespace draco::atomo
