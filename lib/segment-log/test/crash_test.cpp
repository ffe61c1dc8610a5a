// After any crash a log delivers every synced record, nothing but what was appended, in order and
// without gaps: over many lives, at every change of the disk, with torn writes.
#include "draco/testing/seed.hpp"

#include "log_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace draco::segment_log {
namespace {

// What a log may deliver: all of `synced`, then a prefix of what was appended since.
struct Model {
    std::vector<Seen> appended;
    std::size_t synced = 0;   // of them
    std::uint64_t floor = 0;  // records below it may be gone

    // What is wrong with this; "" if nothing.
    std::string check(const std::vector<Seen>& seen) const {
        const std::uint64_t first = seen.empty() ? appended.size() : seen.front().sequence;
        for (std::size_t i = 0; i < std::min<std::size_t>(first, synced); ++i)
            if (appended[i].mark >= floor) return "record " + std::to_string(i) + " is gone";
        if (first + seen.size() < synced) return "a synced record is gone";
        if (first + seen.size() > appended.size()) return "a record was never appended";
        for (std::size_t i = 0; i < seen.size(); ++i)
            if (seen[i] != appended[first + i])
                return "record " + std::to_string(first + i) + " is another one";
        return "";
    }

    // What was not delivered never happened.
    void settle(std::uint64_t next_sequence) {
        appended.resize(next_sequence);
        synced = appended.size();
    }
};

class Lives {
public:
    explicit Lives(std::uint64_t seed) : rng_(seed), disk_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return rng_() % bound; }

    void open(const std::string& where) {
        std::vector<Seen> seen;
        auto opened = SegmentLog::open(disk_, options_, collect(seen));
        if (!opened && disk_.crashed()) return;
        ASSERT_TRUE(opened) << where << ": " << to_string(opened.error());
        log_ = std::move(*opened);
        ASSERT_EQ(model_.check(seen), "") << where;
        if (!seen.empty()) ASSERT_EQ(log_->next_sequence(), seen.back().sequence + 1) << where;
        ASSERT_GE(log_->next_sequence(), model_.synced) << where;
        ASSERT_LE(log_->next_sequence(), model_.appended.size()) << where;
        model_.settle(log_->next_sequence());
    }

    // Until the disk crashes, or `steps` are done.
    void live(std::uint64_t steps) {
        for (std::uint64_t i = 0; i < steps && log_ && !disk_.crashed(); ++i) step();
    }

    void step() {
        const auto choice = below(20);
        if (choice < 12) {
            Seen record{model_.appended.size(),
                        model_.appended.size() / 4 + below(3),
                        payload(rng_(), below(8) == 0 ? below(2049) : below(200))};
            // Appended even if the disk crashes in the middle.
            const auto added = log_->append(record.mark, record.bytes);
            model_.appended.push_back(std::move(record));
            if (!added) return;
        } else if (choice < 17) {
            if (log_->sync()) model_.synced = model_.appended.size();
        } else if (choice == 17) {
            if (log_->protect()) model_.synced = model_.appended.size();
        } else if (choice == 18) {
            if (log_->seal()) model_.synced = model_.appended.size();
        } else if (below(8) == 0) {
            // The process ends, the machine does not: what is found is durable from then on.
            log_.reset();
            open("reopened without a crash");
        } else if (below(6) == 0) {
            model_.floor = std::max(model_.floor, model_.appended.size() / 8);
            log_->drop_below(model_.floor);
        }
    }

    void crash_and_restart() {
        disk_.crash();
        log_.reset();
        disk_.restart();
    }

    simulon::SimulatedDisk& disk() { return disk_; }

    SegmentLog* log() { return log_.get(); }

    Model& model() { return model_; }

private:
    std::mt19937_64 rng_;
    simulon::SimulatedDisk disk_;
    Options options_ = small_options();
    Model model_;
    std::unique_ptr<SegmentLog> log_;
};

TEST(SegmentLogCrash, EverySyncedRecordSurvivesManyLives) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    for (std::uint64_t run = 0; run < draco::testing::scaled(400); ++run) {
        Lives lives(seed + run);
        for (int life = 0; life < 12; ++life) {
            const std::string where =
                "run " + std::to_string(run) + ", life " + std::to_string(life);
            // Opening may crash too.
            if (lives.below(2) == 0) lives.disk().crash_at_change(1 + lives.below(60));
            lives.open(where);
            if (::testing::Test::HasFatalFailure()) return;
            lives.live(10 + lives.below(100));
            lives.crash_and_restart();
        }
    }
}

TEST(SegmentLogCrash, EverySyncedRecordSurvivesACrashAtEachChange) {
    // Covers the creation of the log, of segments, and their removal.
    const std::uint64_t seed = draco::testing::test_seed(2);
    std::uint64_t changes = 0;
    for (std::uint64_t n = 0; n == 0 || n <= changes; ++n) {
        Lives lives(seed);
        lives.disk().crash_at_change(n);
        const std::string where = "crash at change " + std::to_string(n);
        lives.open(where);
        lives.live(300);
        if (n == 0) changes = lives.disk().change_count();
        lives.crash_and_restart();
        for (int again = 0; again < 2; ++again) {
            lives.open(where + ", opened again");
            if (::testing::Test::HasFatalFailure()) return;
            lives.live(20);
            lives.crash_and_restart();
        }
    }
    EXPECT_GT(changes, 100U);
}

TEST(SegmentLogCrash, TheModelNoticesWhatItIsFor) {
    Model model;
    for (std::uint64_t i = 0; i < 4; ++i) model.appended.push_back({i, i, payload(i, 10)});
    model.synced = 3;
    const auto& all = model.appended;
    EXPECT_EQ(model.check(all), "");
    EXPECT_EQ(model.check({all[0], all[1], all[2]}), "");
    EXPECT_EQ(model.check({all[0], all[1]}), "a synced record is gone");
    EXPECT_EQ(model.check({all[1], all[2]}), "record 0 is gone");
    EXPECT_EQ(model.check({all[0], all[2], all[1]}), "record 1 is another one");
    EXPECT_EQ(model.check({all[0], all[1], all[2], all[3], {4, 4, {}}}),
              "a record was never appended");
    model.floor = 1;
    EXPECT_EQ(model.check({all[1], all[2]}), "");
}

}  // namespace
}  // namespace draco::segment_log
