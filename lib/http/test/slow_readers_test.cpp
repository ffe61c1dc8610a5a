// In virtual time: who reads too slowly is dropped, after the time that the options say and not
// before; bodies of all connections together stay within their room, those that wait get their turn
// in order, and the slowest readers are the ones to go.

#include "draco/testing/seed.hpp"

#include "simulated_peers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace draco::http {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

constexpr std::uint64_t kPiece = SizedBodies::kPieceBytes;

// Takes `bytes` every second until it is let go; for how long, at most `limit`.
Duration reads_for(SimulatedLoop& loop,
                   const std::shared_ptr<Wire>& wire,
                   std::uint64_t bytes,
                   Duration limit) {
    const Instant begin = loop.now();
    while (!wire->is_gone && loop.now() - begin < limit) {
        loop.pass(1s);
        loop.take(wire, bytes);
    }
    return loop.now() - begin;
}

TEST(SlowReaders, OneByteNowAndThenIsTooSlow) {
    SizedBodies handler;
    const EngineOptions options{.stall_deadline = 30s, .response_bytes_per_s_min = 4096};
    SimulatedLoop loop(handler, options);
    const auto wire = loop.ask("/10000000");
    EXPECT_GE(loop.room().bytes(), 3 * kPiece);
    const Duration time = reads_for(loop, wire, 1, 1h);
    EXPECT_GE(time, 30s);
    EXPECT_LE(time, 38s);
    EXPECT_EQ(loop.counts().too_slow.get(), 1U);
    EXPECT_EQ(loop.counts().stalled.get(), 0U);
    EXPECT_EQ(loop.room().bytes(), 0U);
}

TEST(SlowReaders, ABurstBuysNoMoreThanOneWindow) {
    SizedBodies handler;
    const EngineOptions options{.stall_deadline = 30s, .response_bytes_per_s_min = 4096};
    SimulatedLoop loop(handler, options);
    const auto wire = loop.ask("/10000000");
    for (int i = 0; i < 50; ++i) loop.take(wire, 100'000);
    EXPECT_GT(wire->taken, 4'000'000U);
    const Duration time = reads_for(loop, wire, 0, 1h);
    EXPECT_GE(time, 30s);
    EXPECT_LE(time, 38s);
    EXPECT_EQ(loop.counts().stalled.get(), 1U);
    EXPECT_EQ(loop.counts().too_slow.get(), 0U);
}

TEST(SlowReaders, HalfTheLeastRateLastsTwoWindows) {
    SizedBodies handler;
    const EngineOptions options{.stall_deadline = 30s, .response_bytes_per_s_min = 4096};
    SimulatedLoop loop(handler, options);
    const Duration time = reads_for(loop, loop.ask("/10000000"), 2048, 1h);
    EXPECT_GE(time, 59s);
    EXPECT_LE(time, 68s);
    EXPECT_EQ(loop.counts().too_slow.get(), 1U);
}

// Also where the system tells of room only after many seconds.
TEST(SlowReaders, TheLeastRateIsEnough) {
    SizedBodies handler;
    const EngineOptions options{.stall_deadline = 10s, .response_bytes_per_s_min = 4096};
    SimulatedLoop loop(handler, options);
    const auto wire = loop.ask("/3000000");
    reads_for(loop, wire, 4096, 720s);
    EXPECT_EQ(loop.counts().too_slow.get() + loop.counts().stalled.get(), 0U);
    EXPECT_GT(wire->taken, 2'900'000U);
    EXPECT_EQ(loop.room().bytes(), 0U);
}

// Time in which the reader has taken all there is costs it nothing.
TEST(TakingRate, OnlyTimeBehindCounts) {
    TakingRate rate(1000, 10s);
    Instant now{};
    std::uint64_t taken = 0;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(rate.judge(now, taken, true), TakingRate::Verdict::Fine);
        now = now + 1s;
        taken += 1000;
        EXPECT_EQ(rate.judge(now, taken, false), TakingRate::Verdict::Fine);
        now = now + 1h;
    }
    EXPECT_EQ(rate.judge(now, taken, true), TakingRate::Verdict::Fine);
    EXPECT_EQ(rate.judge(now + 9'999ms, taken, true), TakingRate::Verdict::Fine);
    EXPECT_EQ(rate.judge(now + 10s, taken, true), TakingRate::Verdict::TookNothing);
}

TEST(TakingRate, HasNoOverflow) {
    for (const std::uint64_t per_s : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
        TakingRate rate(per_s, Duration(std::chrono::hours(24 * 365 * 100)));
        EXPECT_EQ(rate.judge(Instant{} + 1h, 0, true), TakingRate::Verdict::Fine);
        EXPECT_EQ(rate.judge(Instant{} + 2h, ~std::uint64_t{0}, true), TakingRate::Verdict::Fine);
    }
}

// Fast readers, many more than there is room for, all get everything, and never more is held.
TEST(BodyRoom, EverybodyGetsTheirTurn) {
    SizedBodies handler;
    const EngineOptions options{.body_bytes_max = 8 * kPiece};
    SimulatedLoop loop(handler, options);
    std::vector<std::shared_ptr<Wire>> readers;
    for (int i = 0; i < 100; ++i) readers.push_back(loop.ask("/1000000"));
    EXPECT_GT(loop.counts().room_waits.get(), 80U);
    EXPECT_GT(handler.let_go, 80);
    for (int step = 0; step < 400; ++step) {
        for (const auto& reader : readers) {
            loop.take(reader, 100'000);
            ASSERT_LE(loop.room().bytes(), 8 * kPiece);
        }
        loop.pass(100ms);
    }
    for (const auto& reader : readers) EXPECT_GE(reader->taken, 1'000'000U);
    EXPECT_EQ(loop.counts().crowded_out.get(), 0U);
    EXPECT_EQ(loop.room().bytes(), 0U);
}

TEST(BodyRoom, SlowReadersMakeWayForOthers) {
    SizedBodies handler;
    const EngineOptions options{.body_bytes_max = 8 * kPiece};
    SimulatedLoop loop(handler, options);
    std::vector<std::shared_ptr<Wire>> slow;  // fast enough to be kept if nobody waited
    for (int i = 0; i < 20; ++i) slow.push_back(loop.ask("/10000000"));
    std::vector<std::shared_ptr<Wire>> fast;
    for (int i = 0; i < 5; ++i) fast.push_back(loop.ask("/1000000"));
    for (int step = 0; step < 400; ++step) {
        loop.pass(100ms);
        for (const auto& reader : slow) loop.take(reader, 1'000);
        for (const auto& reader : fast) loop.take(reader, 20'000);
        ASSERT_LE(loop.room().bytes(), 8 * kPiece);
    }
    for (const auto& reader : fast) EXPECT_GE(reader->taken, 1'000'000U);
    EXPECT_GT(loop.counts().crowded_out.get(), 0U);
}

// Of two that hold the room, the one that takes less has to go, whoever came first.
TEST(BodyRoom, TheSlowestIsTheOneToGo) {
    for (const bool slow_first : {true, false}) {
        SizedBodies handler;
        const EngineOptions options{.body_bytes_max = 2'000'000};
        SimulatedLoop loop(handler, options);
        const auto first = loop.ask("/m/1000000");
        const auto second = loop.ask("/m/1000000");
        const auto newcomer = loop.ask("/1000");
        const auto& slower = slow_first ? first : second;
        const auto& faster = slow_first ? second : first;
        for (int step = 0; step < 50; ++step) {
            loop.pass(100ms);
            loop.take(slower, 1'000);
            loop.take(faster, 2'500);
            loop.take(newcomer, 30'000);
        }
        EXPECT_GE(newcomer->taken, 1'000U);
        EXPECT_TRUE(slower->is_gone);
        EXPECT_FALSE(faster->is_gone);
        EXPECT_EQ(loop.counts().crowded_out.get(), 1U);
    }
}

// Nobody is dropped for the sake of nobody.
TEST(BodyRoom, SlowReadersStayWhereNobodyWaits) {
    SizedBodies handler;
    const EngineOptions options{.body_bytes_max = 8 * kPiece};
    SimulatedLoop loop(handler, options);
    const auto one = loop.ask("/10000000");
    const auto other = loop.ask("/10000000");
    for (int second = 0; second < 100; ++second) {
        loop.pass(1s);
        loop.take(one, 5'000);
        loop.take(other, 5'000);
    }
    EXPECT_FALSE(one->is_gone || other->is_gone);
    EXPECT_EQ(loop.counts().crowded_out.get(), 0U);
}

TEST(BodyRoom, WhatIsInMemoryAndHasNoRoomIsA503) {
    SizedBodies handler;
    const EngineOptions options{.body_bytes_max = 300'000};
    SimulatedLoop loop(handler, options);
    const auto first = loop.ask("/m/250000");
    EXPECT_EQ(loop.room().bytes(), 250'000U);
    const auto second = loop.ask("/m/250000");
    EXPECT_EQ(loop.counts().answers[5].get(), 1U);
    EXPECT_EQ(loop.counts().no_room.get(), 1U);
    const auto small = loop.ask("/m/4000");  // copied
    EXPECT_EQ(loop.counts().answers[2].get(), 2U);
    loop.pass(5s);
    loop.ask("/m/250000");  // refused, but the first is slow
    EXPECT_TRUE(first->is_gone);
    EXPECT_EQ(loop.room().bytes(), 0U);
    loop.ask("/m/250000");
    EXPECT_EQ(loop.counts().answers[2].get(), 3U);
}

// One reader that is not slow may hold it all for long.
TEST(BodyRoom, WhoseTurnDoesNotComeIsLetGo) {
    SizedBodies handler;
    const EngineOptions options{.body_bytes_max = 10'000'000, .answer_deadline = 20s};
    SimulatedLoop loop(handler, options);
    const auto first = loop.ask("/m/10000000");
    const auto second = loop.ask("/1000");
    int steps = 0;
    for (; !second->is_gone && steps < 1000; ++steps) {
        loop.pass(100ms);
        loop.take(first, 5'000);
    }
    EXPECT_GE(steps, 200);
    EXPECT_LE(steps, 220);
    EXPECT_EQ(loop.counts().unanswered.get(), 1U);
    EXPECT_FALSE(first->is_gone);
}

// Model: places in vectors, searched from one end to the other.
TEST(PieceRoom, AgreesWithANaiveOne) {
    struct Naive {
        std::uint64_t bytes = 0;
        std::uint64_t kept = 0;
        bool is_behind = false;
        Instant step_at{};
        std::uint64_t step_taken = 0;
        std::uint64_t taken = 0;
        std::uint64_t noted = 0;
    };

    std::mt19937_64 random(testing::test_seed(9));
    for (std::uint64_t round = 0; round < testing::scaled(200); ++round) {
        const std::uint64_t most = 20 + random() % 50;
        PieceRoom room(most, 10s);
        std::vector<std::unique_ptr<PieceRoom::Place>> places(10);
        for (auto& place : places) place = std::make_unique<PieceRoom::Place>(room, nullptr);
        std::vector<Naive> naive(places.size());
        std::deque<std::pair<std::size_t, std::uint64_t>> line;
        std::vector<std::size_t> behind;  // the slowest first
        Instant now{};
        const auto held = [&] {
            std::uint64_t sum = 0;
            for (const Naive& one : naive) sum += one.bytes + one.kept;
            return sum;
        };
        const auto fits = [&](std::uint64_t bytes, std::uint64_t bound) {
            return held() == 0 || held() + bytes <= bound;
        };
        const auto waits = [&](std::size_t i) {
            return std::ranges::any_of(line, [&](const auto& each) { return each.first == i; });
        };
        for (int step = 0; step < 300; ++step) {
            now = now + Duration(random() % 4) * 1'000'000'000;
            const std::size_t i = random() % places.size();
            Naive& one = naive[i];
            switch (random() % 5) {
                case 0: {
                    const std::uint64_t bytes = one.kept > 0 ? one.kept : 1 + random() % 20;
                    bool granted = false;
                    if (one.kept > 0) {
                        one.kept = 0;
                        granted = true;
                    } else if (!waits(i)) {
                        const bool is_first = one.bytes == 0;
                        granted = line.empty() && fits(bytes, is_first ? most : most - most / 4);
                        if (!granted && is_first) line.emplace_back(i, bytes);
                    }
                    if (granted) one.bytes += bytes;
                    ASSERT_EQ(room.take(*places[i], bytes), granted);
                    break;
                }
                case 1:
                    if (one.bytes == 0) break;
                    {
                        const std::uint64_t bytes = 1 + random() % one.bytes;
                        one.bytes -= bytes;
                        room.give_back(*places[i], bytes);
                        if (one.bytes == 0) std::erase(behind, i);
                    }
                    break;
                case 2: {
                    std::optional<std::size_t> expected;
                    if (!line.empty() && fits(line.front().second, most)) {
                        expected = line.front().first;
                        naive[*expected].kept = line.front().second;
                        line.pop_front();
                    }
                    ASSERT_EQ(room.admit(), expected ? places[*expected].get() : nullptr);
                    break;
                }
                case 3: {
                    const bool is_behind = random() % 2 == 0;
                    one.taken += random() % (2 * PieceRoom::kStepBytes);
                    const bool ranked = std::ranges::find(behind, i) != behind.end();
                    if (!is_behind || one.bytes == 0) {
                        std::erase(behind, i);
                    } else if (!ranked || one.taken >= one.step_taken + PieceRoom::kStepBytes) {
                        std::erase(behind, i);
                        behind.push_back(i);
                        one.step_at = now;
                        one.step_taken = one.taken;
                    }
                    one.noted = one.taken;
                    room.note(*places[i], is_behind, one.taken, now);
                    break;
                }
                default:
                    if (random() % 10 != 0) break;
                    places[i] = std::make_unique<PieceRoom::Place>(room, nullptr);
                    one = {};
                    std::erase(behind, i);
                    std::erase_if(line, [&](const auto& each) { return each.first == i; });
            }
            ASSERT_EQ(room.bytes(), held());
            const PieceRoom::Place* slowest = nullptr;
            double least = 0;
            for (const std::size_t each : behind) {
                const Naive& other = naive[each];
                if (now - other.step_at < 10s) continue;
                const double ms = static_cast<double>((now - other.step_at).count()) / 1e6 + 1;
                const double rate = static_cast<double>(other.noted - other.step_taken) / ms;
                if (slowest != nullptr && rate >= least) continue;
                slowest = places[each].get();
                least = rate;
            }
            ASSERT_EQ(room.slowest(now), slowest);
        }
    }
}

}  // namespace
}  // namespace draco::http
