// After a crash at any change of the disk the store has every object that was finished, whole, with
// its pin, and nothing else; what it counts is what is on the disk.
#include "draco/testing/seed.hpp"

#include "store_lives.hpp"

namespace draco::blockstore {
namespace {

std::vector<Content> contents() {
    std::vector<Content> made;
    for (const std::size_t size : std::vector<std::size_t>{0, 700, 5000, kBlockBytes + 3000})
        made.push_back(made_file(size, size));
    for (const std::size_t count : {0U, 1U, 30U}) made.push_back(made_directory(count, count));
    return made;
}

void many_lives(std::uint64_t first_seed, std::uint64_t runs, const Options& options) {
    const auto made = contents();
    for (std::uint64_t run = 0; run < draco::testing::scaled(runs); ++run) {
        StoreLives lives(first_seed + run, options, made);
        for (int life = 0; life < 8; ++life) {
            const std::string where =
                "run " + std::to_string(run) + ", life " + std::to_string(life);
            // Opening may crash too.
            if (lives.below(2) == 0) lives.disk().crash_at_change(1 + lives.below(80));
            ASSERT_EQ(lives.open(), "") << where;
            ASSERT_EQ(lives.live(10 + lives.below(40)), "") << where;
            lives.crash_and_restart();
        }
    }
}

TEST(BlockstoreCrash, FinishedObjectsSurviveManyLives) {
    many_lives(draco::testing::test_seed(1), 60, {});
}

TEST(BlockstoreCrash, ObjectsThatAreSyncedInPartsSurviveManyLives) {
    Options options;
    options.unsynced_bytes_max = 2000;
    many_lives(draco::testing::test_seed(4), 60, options);
}

TEST(BlockstoreCrash, PinnedObjectsSurviveManyLivesWithEvictions) {
    Options options;
    options.bytes_max = kBlockBytes + 12'000;
    many_lives(draco::testing::test_seed(2), 60, options);
}

TEST(BlockstoreCrash, FinishedObjectsSurviveACrashAtEachChange) {
    // From the first change, which makes the store's directory.
    const auto made = contents();
    const std::uint64_t seed = draco::testing::test_seed(3);
    std::uint64_t changes = 0;
    for (std::uint64_t n = 0; n == 0 || n <= changes; ++n) {
        const std::string where = "crash at change " + std::to_string(n);
        StoreLives lives(seed, {}, made);
        lives.disk().crash_at_change(n);
        ASSERT_EQ(lives.open(), "") << where;
        ASSERT_EQ(lives.live(250), "") << where;
        if (n == 0) changes = lives.disk().change_count();
        lives.crash_and_restart();
        // The second life crashes while it cleans up after the first.
        lives.disk().crash_at_change(1 + n % 12);
        ASSERT_EQ(lives.open(), "") << where << ", second life";
        lives.crash_and_restart();
        ASSERT_EQ(lives.open(), "") << where << ", third life";
        ASSERT_EQ(lives.live(10), "") << where << ", third life";
    }
    EXPECT_GT(changes, 150U);
}

// A disk that does not do what it says: the check finds what is lost.
class ForgetfulDisk final : public Disk {
public:
    explicit ForgetfulDisk(Disk& disk) : disk_(disk) {}

    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override {
        return disk_.open(path, mode);
    }

    Result<> rename(std::string_view from, std::string_view to) override {
        return disk_.rename(from, to);
    }

    Result<> remove(std::string_view path) override { return disk_.remove(path); }

    Result<> create_directory(std::string_view path) override {
        return disk_.create_directory(path);
    }

    Result<> remove_directory(std::string_view path) override {
        return disk_.remove_directory(path);
    }

    Result<> sync_directory(std::string_view /*path*/) override { return {}; }

    Result<std::vector<DirectoryEntry>> list(std::string_view path) const override {
        return disk_.list(path);
    }

    Result<bool> exists(std::string_view path) const override { return disk_.exists(path); }

    Result<std::unique_ptr<DiskLock>> lock(std::string_view path) override {
        return disk_.lock(path);
    }

private:
    Disk& disk_;
};

TEST(BlockstoreCrash, TheTestNoticesWhatIsNotDurable) {
    // Objects on a disk without syncs of directories are lost in some crash.
    const Content content = made_file(1, 1000);
    log::NullLog log;
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        simulon::SimulatedDisk disk(seed);
        ForgetfulDisk forgetful(disk);
        ASSERT_TRUE(put(*blockstore::open(forgetful, {}, log).value(), content));
        disk.crash();
        disk.restart();
        const auto store = blockstore::open(disk, {}, log).value();
        lost += store->has(content.info.hash) ? 0 : 1;
    }
    EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace draco::blockstore
