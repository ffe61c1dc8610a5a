// The core of a download beside a naive model, which is the set of blocks that came and where
// readers are, with random peers (honest, slow, lying, dying and incomplete) and readers who read
// on, rest, jump and leave. And scripts for single rules.

#include "draco/fetcher/download.hpp"

#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace draco::fetcher {
namespace {

using namespace std::chrono_literals;
using simulon::SeededRng;
using types::NodeKey;

NodeKey key_number(std::uint32_t number) {
    NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

struct SimulatedPeer {
    enum class Kind : std::uint8_t { Honest, Slow, Liar, Dead, Incomplete, Empty };
    Kind kind = Kind::Honest;
    std::set<std::uint64_t> has{};  // of an incomplete one; it grows
};

// Runs a download against peers in steps of 10 ms; what they send in answer is drawn.
class Simulation {
public:
    Simulation(std::uint64_t seed,
               std::uint64_t leaves,
               std::vector<SimulatedPeer> peers,
               const DownloadLimits& limits = {})
        : rng_(seed),
          leaves_(leaves),
          peers_(std::move(peers)),
          limits_(limits),
          download_(types::ContentHash{}, limits) {
        step(Start{});
    }

    // An owner's download.
    void want_all() {
        wants_all_ = true;
        step(WholeWanted{true});
    }

    // Until it is whole or has failed, or too long has passed.
    void run(Duration limit) {
        const Instant end = now_ + limit;
        while (!is_complete && !failure && now_ < end) {
            now_ = now_ + 10ms;
            if (on_tick) on_tick();
            for (SimulatedPeer& peer : peers_)
                if (peer.kind == SimulatedPeer::Kind::Incomplete && peer.has.size() < leaves_ &&
                    rng_.below(5) == 0)
                    peer.has.insert(rng_.below(leaves_));
            if (download_.wake_at() && *download_.wake_at() <= now_) step(TimePassed{});
            while (open_.size() < 16) {
                const auto before = open_.size();
                step(SlotFree{next_ticket_++});
                if (open_.size() == before) break;
            }
            const auto tickets = [&] {
                std::vector<std::uint64_t> all;
                for (const auto& [ticket, ask] : open_) all.push_back(ticket);
                return all;
            }();
            for (const std::uint64_t ticket : tickets) answer(ticket);
            check();
        }
    }

    void check() {
        if (failure) return;
        ASSERT_EQ(download_.here_count(), here_.size());
        for (const std::uint64_t index : here_) ASSERT_TRUE(download_.is_here(index));
    }

    void want(std::uint64_t index) {
        wanted_.insert(index);
        step(Wanted{index});
    }

    void unwant(std::uint64_t index) {
        wanted_.erase(index);
        step(Unwanted{index});
    }

    void reader_at(std::uint64_t reader, std::uint64_t index) {
        readers_[reader] = index;
        step(ReaderAt{reader, index});
    }

    void reader_gone(std::uint64_t reader) {
        readers_.erase(reader);
        step(ReaderGone{reader});
    }

    bool is_resting() const { return download_.is_resting(); }

    std::function<void()> on_tick;

    bool is_open() const { return download_.is_open(); }

    std::size_t here() const { return here_.size(); }

    bool is_here(std::uint64_t index) const { return here_.contains(index); }

    bool is_complete = false;
    std::optional<Error> failure;
    std::set<NodeKey> liars;
    std::uint64_t duplicates = 0;

private:
    struct Open {
        Ask ask;
        std::uint64_t next = 0;
    };

    void step(const Event& event) {
        Effects out;
        const bool was_open = download_.is_open();
        download_.step(event, now_, out);
        if (!was_open && download_.is_open()) here_.insert(leaves_ - 1);
        for (const std::uint64_t ticket : out.cancels) open_.erase(ticket);
        for (const NodeKey& liar : out.liars) liars.insert(liar);
        if (out.failure) failure = out.failure;
        if (out.is_complete) {
            EXPECT_EQ(here_.size(), leaves_);
            is_complete = true;
        }
        if (out.ask) {
            for (std::uint64_t i = out.ask->blocks ? out.ask->blocks->first : 0;
                 out.ask->blocks && i < out.ask->blocks->end;
                 ++i)
                expect_may_ask(i);
            open_.emplace(out.ask->ticket,
                          Open{*out.ask, out.ask->blocks ? out.ask->blocks->first : 0});
        }
        if (out.find) {
            std::vector<NodeKey> all;
            for (std::uint32_t i = 0; i < peers_.size(); ++i) all.push_back(key_number(i));
            Result<std::vector<NodeKey>> found = all;
            if (all.empty()) found = fail(Errc::NotFound, "nobody");
            step(ProvidersFound{std::move(found)});
        }
    }

    // Only for what is missing, and only as far as somebody reads.
    void expect_may_ask(std::uint64_t index) {
        EXPECT_FALSE(here_.contains(index)) << "it asks for what is here";
        if (wants_all_) return;
        const auto reaches = [&](std::uint64_t place) {
            return place <= index && index < place + limits_.read_ahead_blocks;
        };
        bool is_near = std::ranges::any_of(wanted_, reaches);
        for (const auto& [reader, place] : readers_) is_near = is_near || reaches(place);
        EXPECT_TRUE(is_near) << "nobody is near block " << index;
    }

    SimulatedPeer& peer_of(const NodeKey& key) {
        std::uint32_t number = 0;
        while (key_number(number) != key) ++number;
        return peers_[number];
    }

    void answer(std::uint64_t ticket) {
        using Kind = SimulatedPeer::Kind;
        const auto found = open_.find(ticket);
        if (found == open_.end() || rng_.below(3) != 0) return;
        Open& open = found->second;
        const SimulatedPeer& peer = peer_of(open.ask.peer);
        if (peer.kind == Kind::Dead || (peer.kind == Kind::Slow && rng_.below(150) != 0)) return;
        if (peer.kind == Kind::Empty) return end(ticket, fail(Errc::NotFound, "not here"));
        const bool is_true = peer.kind != Kind::Liar || rng_.below(2) == 0;
        if (!open.ask.blocks) {
            open_.erase(found);
            return step(HeadJudged{.ticket = ticket, .is_true = is_true, .leaves = leaves_});
        }
        if (open.next == open.ask.blocks->end) return end(ticket, {});
        const std::uint64_t index = open.next++;
        if (peer.kind == Kind::Incomplete && !peer.has.contains(index))
            return end(ticket, fail(Errc::NotFound, "not here"));
        if (is_true && !here_.insert(index).second) ++duplicates;
        if (is_true) wanted_.erase(index);
        step(BlockJudged{.ticket = ticket, .index = index, .is_true = is_true});
    }

    void end(std::uint64_t ticket, Result<> outcome) {
        open_.erase(ticket);
        step(AskEnded{ticket, std::move(outcome)});
    }

    SeededRng rng_;
    std::uint64_t leaves_;
    std::vector<SimulatedPeer> peers_;
    DownloadLimits limits_;
    Download download_;
    std::map<std::uint64_t, std::uint64_t> readers_;
    std::set<std::uint64_t> wanted_;
    bool wants_all_ = false;
    Instant now_{1s};
    std::uint64_t next_ticket_ = 1;
    std::map<std::uint64_t, Open> open_;
    std::set<std::uint64_t> here_;
};

TEST(DownloadModel, WithOneHonestPeerEveryObjectComesWhateverTheOthersDo) {
    const std::uint64_t first = draco::testing::test_seed(1);
    for (std::uint64_t seed = first; seed < first + draco::testing::scaled(150); ++seed) {
        SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
        SeededRng rng(seed);
        constexpr std::uint64_t kSizes[] = {1, 2, 3, 64, 65, 66, 300};
        const std::uint64_t leaves = kSizes[rng.below(std::size(kSizes))];
        std::vector<SimulatedPeer> peers(1 + rng.below(7));
        for (SimulatedPeer& peer : peers)
            peer.kind = static_cast<SimulatedPeer::Kind>(rng.below(6));
        peers[rng.below(peers.size())].kind = SimulatedPeer::Kind::Honest;
        Simulation simulation(seed, leaves, peers);
        simulation.want_all();
        simulation.run(600s);
        ASSERT_TRUE(simulation.is_complete)
            << (simulation.failure ? simulation.failure->context : "it hangs");
        for (const NodeKey& liar : simulation.liars) {
            std::uint32_t number = 0;
            while (key_number(number) != liar) ++number;
            ASSERT_EQ(peers[number].kind, SimulatedPeer::Kind::Liar);
        }
        if (HasFatalFailure()) return;
    }
}

TEST(DownloadModel, ALargeObjectComesInOrderAndOnce) {
    Simulation simulation(1, 1025, std::vector<SimulatedPeer>(4));
    simulation.want_all();
    simulation.run(600s);
    EXPECT_TRUE(simulation.is_complete);
    EXPECT_EQ(simulation.duplicates, 0U);
}

TEST(DownloadModel, WithoutAnHonestPeerItFailsInTime) {
    using Kind = SimulatedPeer::Kind;
    for (const auto& [kind, code] :
         {std::pair(Kind::Dead, Errc::Unavailable), std::pair(Kind::Empty, Errc::NotFound)}) {
        Simulation simulation(1, 20, {{.kind = kind}, {.kind = kind}});
        simulation.want_all();
        simulation.run(3600s);
        ASSERT_TRUE(simulation.failure);
        EXPECT_EQ(simulation.failure->code, code);
    }
    Simulation nobody(1, 20, {});
    nobody.run(3600s);
    ASSERT_TRUE(nobody.failure);
    EXPECT_EQ(nobody.failure->code, Errc::NotFound);
}

// A reader that has a handle before the core knows the head asks for what does not exist yet.
TEST(Download, WantsAndLossesBeforeTheHeadChangeNothing) {
    Download download(types::ContentHash{});
    for (const Event& event : {Event(Start{}),
                               Event(ReaderAt{1, 0}),
                               Event(Wanted{0}),
                               Event(Unwanted{0}),
                               Event(ReaderGone{1}),
                               Event(BlockLost{0})}) {
        Effects effects;
        download.step(event, Instant{}, effects);
        EXPECT_FALSE(effects.failure);
        EXPECT_FALSE(effects.is_complete);
    }
    EXPECT_FALSE(download.is_open());
    EXPECT_FALSE(download.is_here(0));
}

TEST(DownloadModel, WhatIsWaitedForComesFirst) {
    Simulation simulation(3, 1025, std::vector<SimulatedPeer>(1));
    simulation.want_all();
    simulation.run(1s);
    ASSERT_TRUE(simulation.is_open());
    ASSERT_FALSE(simulation.is_here(900));
    simulation.reader_at(1, 900);
    simulation.want(900);
    for (int i = 0; i < 1000 && !simulation.is_here(900); ++i) simulation.run(10ms);
    EXPECT_TRUE(simulation.is_here(900));
    EXPECT_LT(simulation.here(), 200U);
    simulation.run(1s);
    EXPECT_TRUE(simulation.is_here(908)) << "and what follows it";
}

// Several who read at once, each at its own pace: reads a block, then the next or another one
// anywhere, rests between, leaves and comes again.
class Readers {
public:
    Readers(Simulation& simulation, std::uint64_t seed, std::uint64_t leaves, std::size_t count)
        : simulation_(simulation), rng_(seed), leaves_(leaves), readers_(count) {}

    void tick() {
        if (!simulation_.is_open()) return;
        for (std::size_t i = 0; i < readers_.size(); ++i) tick(i);
    }

    // From now on nobody jumps, leaves or rests, and there is one reader, who begins at 0.
    void read_to_the_end() {
        leave();
        readers_.assign(1, {});
        is_steady_ = true;
    }

    void leave() {
        for (std::size_t i = 0; i < readers_.size(); ++i) leave(i);
        is_over_ = true;
    }

    void come_again() { is_over_ = false; }

    std::uint64_t reads = 0;

private:
    struct Reading {
        std::uint64_t index = 0;
        bool is_waiting = false;
        std::uint64_t rest_ticks = 0;
    };

    void tick(std::size_t number) {
        Reading& now = readers_[number];
        if (is_over_) return;
        if (now.rest_ticks > 0) {
            --now.rest_ticks;
            return;
        }
        if (!simulation_.is_here(now.index)) {
            if (!now.is_waiting) {
                simulation_.reader_at(number, now.index);
                simulation_.want(now.index);
            }
            now.is_waiting = true;
            if (!is_steady_ && rng_.below(400) == 0) {
                leave(number);
                now.rest_ticks = rng_.below(300);
            }
            return;
        }
        now.is_waiting = false;
        ++reads;
        simulation_.reader_at(number, now.index);
        now.index = (now.index + 1) % leaves_;
        if (is_steady_) return;
        if (rng_.below(10) == 0) now.index = rng_.below(leaves_);
        if (rng_.below(20) == 0) leave(number);
        if (rng_.below(4) == 0) now.rest_ticks = rng_.below(200);
    }

    void leave(std::size_t number) {
        Reading& now = readers_[number];
        const bool was_waiting = std::exchange(now.is_waiting, false);
        const bool is_last = std::ranges::none_of(readers_, [&](const Reading& other) {
            return other.is_waiting && other.index == now.index;
        });
        if (was_waiting && is_last && !simulation_.is_here(now.index))
            simulation_.unwant(now.index);
        simulation_.reader_gone(number);
    }

    Simulation& simulation_;
    SeededRng rng_;
    std::uint64_t leaves_;
    std::vector<Reading> readers_;
    bool is_steady_ = false;
    bool is_over_ = false;
};

// Nobody waits forever, wherever the readers are; nothing is asked for that is not near one; when
// all have left nothing is asked for and nothing fails; and who comes then gets everything.
TEST(DownloadModel, ReadersGetWhatTheyReadAndLittleElseComes) {
    const std::uint64_t first = draco::testing::test_seed(1);
    for (std::uint64_t seed = first; seed < first + draco::testing::scaled(60); ++seed) {
        SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
        SeededRng rng(seed);
        constexpr std::uint64_t kSizes[] = {1, 2, 65, 200, 700};
        constexpr std::uint64_t kWindows[] = {1, 3, 8, 64};
        const std::uint64_t leaves = kSizes[rng.below(std::size(kSizes))];
        std::vector<SimulatedPeer> peers(1 + rng.below(5));
        for (SimulatedPeer& peer : peers)
            peer.kind = static_cast<SimulatedPeer::Kind>(rng.below(6));
        peers[rng.below(peers.size())].kind = SimulatedPeer::Kind::Honest;
        DownloadLimits limits;
        limits.read_ahead_blocks = kWindows[rng.below(std::size(kWindows))];
        Simulation simulation(seed, leaves, peers, limits);
        Readers readers(simulation, seed + 1'000'000, leaves, 1 + rng.below(4));
        simulation.on_tick = [&] { readers.tick(); };
        for (int i = 0; i < 600 && readers.reads < 150 && !simulation.is_complete; ++i)
            simulation.run(1s);
        ASSERT_FALSE(simulation.failure) << simulation.failure->context;
        ASSERT_TRUE(simulation.is_complete || readers.reads >= 150) << "somebody waits forever";
        readers.leave();
        simulation.run(300s);
        ASSERT_FALSE(simulation.failure) << simulation.failure->context;
        ASSERT_TRUE(simulation.is_complete || simulation.is_resting());
        readers.read_to_the_end();
        readers.come_again();
        simulation.run(3600s);
        ASSERT_TRUE(simulation.is_complete)
            << (simulation.failure ? simulation.failure->context : "it hangs");
        if (HasFailure()) return;
    }
}

// ---- Single rules

class DownloadRules : public ::testing::Test {
protected:
    Effects step(const Event& event) {
        Effects out;
        download.step(event, now, out);
        return out;
    }

    std::optional<Ask> slot() { return step(SlotFree{next_ticket++}).ask; }

    void open(std::uint32_t peers, std::uint64_t leaves) {
        step(Start{});
        std::vector<NodeKey> found;
        for (std::uint32_t i = 0; i < peers; ++i) found.push_back(key_number(i));
        step(ProvidersFound{std::move(found)});
        const auto ask = slot();
        ASSERT_TRUE(ask && !ask->blocks);
        step(HeadJudged{.ticket = ask->ticket, .is_true = true, .leaves = leaves});
        if (wants_all) step(WholeWanted{true});
    }

    // All that is asked for now.
    std::vector<Ask> all_slots() {
        std::vector<Ask> asks;
        while (auto ask = slot()) asks.push_back(*ask);
        return asks;
    }

    void answer(const Ask& ask) {
        for (std::uint64_t i = ask.blocks->first; i < ask.blocks->end; ++i)
            step(BlockJudged{.ticket = ask.ticket, .index = i, .is_true = true});
        step(AskEnded{ask.ticket, {}});
    }

    bool wants_all = true;
    Download download{types::ContentHash{}, {}};
    Instant now{1s};
    std::uint64_t next_ticket = 1;
};

TEST_F(DownloadRules, ASecondHeadIsAskedForOnlyWhenTheFirstIsLate) {
    step(Start{});
    step(ProvidersFound{std::vector{key_number(0), key_number(1), key_number(2)}});
    EXPECT_EQ(slot()->peer, key_number(0));
    EXPECT_FALSE(slot());
    now = now + 3s;
    step(TimePassed{});
    EXPECT_EQ(slot()->peer, key_number(1));
    EXPECT_FALSE(slot());
}

TEST_F(DownloadRules, ALateRangeIsAskedForElsewhereAndItsPeerForNothingElse) {
    open(2, 9);
    const auto first = slot();
    ASSERT_TRUE(first && first->blocks);
    EXPECT_EQ(*first->blocks, (BlockRange{0, 8}));
    EXPECT_FALSE(slot());
    step(BlockJudged{.ticket = first->ticket, .index = 0, .is_true = true});
    now = now + 3s;
    step(TimePassed{});
    const auto second = slot();
    ASSERT_TRUE(second && second->blocks);
    EXPECT_NE(second->peer, first->peer);
    EXPECT_EQ(*second->blocks, (BlockRange{1, 8}));
    // Who is late wins, and the other one need not go on.
    Effects last;
    for (std::uint64_t i = 1; i < 8; ++i)
        last = step(BlockJudged{.ticket = first->ticket, .index = i, .is_true = true});
    EXPECT_TRUE(last.is_complete);
    EXPECT_NE(std::ranges::find(last.cancels, second->ticket), last.cancels.end());
}

TEST_F(DownloadRules, ALiarIsOutAtOnceAndItsRangesAreAskedForElsewhere) {
    open(2, 33);
    std::map<NodeKey, std::vector<std::uint64_t>> tickets;
    for (int i = 0; i < 4; ++i) {
        const auto ask = slot();
        tickets[ask->peer].push_back(ask->ticket);
    }
    ASSERT_EQ(tickets.size(), 2U);
    const auto& of_liar = tickets[key_number(0)];
    const auto out = step(BlockJudged{.ticket = of_liar[0], .index = 0, .is_true = false});
    EXPECT_EQ(out.liars, std::vector{key_number(0)});
    EXPECT_EQ(out.cancels, of_liar);
    while (const auto ask = slot()) EXPECT_EQ(ask->peer, key_number(1));
    // Though it says again that it has it.
    step(ProvidersFound{std::vector{key_number(0)}});
    EXPECT_FALSE(slot());
}

TEST_F(DownloadRules, WhoFailsRestsLongerEachTime) {
    open(1, 100);
    Duration rest = 250ms;
    for (int i = 0; i < 5; ++i) {
        const auto ask = slot();
        ASSERT_TRUE(ask);
        step(AskEnded{ask->ticket, fail(Errc::Exhausted, "busy")});
        EXPECT_FALSE(slot());
        EXPECT_EQ(download.wake_at(), now + rest);
        now = now + rest;
        rest *= 2;
    }
    const auto last = slot();
    EXPECT_TRUE(step(AskEnded{last->ticket, fail(Errc::Exhausted, "busy")}).find ||
                download.wake_at() < now + 6s);
}

TEST_F(DownloadRules, ABlockThatWasLostIsAskedForAgain) {
    open(1, 2);
    const auto ask = slot();
    EXPECT_TRUE(step(BlockJudged{.ticket = ask->ticket, .index = 0, .is_true = true}).is_complete);
    EXPECT_FALSE(download.wake_at());
    step(BlockLost{1});
    const auto again = slot();
    ASSERT_TRUE(again);
    EXPECT_EQ(*again->blocks, (BlockRange{1, 2}));
}

TEST_F(DownloadRules, WhatIsAheadOfTheReaderComesAndNoMoreUntilItReadsOn) {
    wants_all = false;
    open(4, 1000);
    EXPECT_FALSE(slot()) << "nobody reads";
    EXPECT_TRUE(download.is_resting());
    step(ReaderAt{.reader = 1, .index = 0});
    const auto asks = all_slots();
    std::set<std::uint64_t> asked;
    for (const Ask& ask : asks)
        for (std::uint64_t i = ask.blocks->first; i < ask.blocks->end; ++i) asked.insert(i);
    EXPECT_EQ(asked.size(), 64U);
    EXPECT_EQ(*asked.rbegin(), 63U);
    for (const Ask& ask : asks) answer(ask);
    EXPECT_TRUE(download.is_resting());
    EXPECT_FALSE(download.wake_at());
    now = now + 1000s;
    EXPECT_FALSE(step(TimePassed{}).failure) << "a rest is no stall";
    EXPECT_FALSE(slot());
    now = now + 1000s;
    EXPECT_FALSE(step(ReaderAt{.reader = 1, .index = 3}).failure);
    const auto next = all_slots();
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(*next[0].blocks, (BlockRange{64, 67}));
    // When all are wanted, all are asked for.
    answer(next[0]);
    step(WholeWanted{true});
    EXPECT_EQ(*slot()->blocks, (BlockRange{67, 75}));
    step(WholeWanted{false});
    EXPECT_FALSE(slot());
}

// One who reads two places at once is near only one of them.
TEST_F(DownloadRules, ABlockThatIsWaitedForComesWhereverReadersAre) {
    wants_all = false;
    open(1, 1000);
    step(ReaderAt{.reader = 1, .index = 5});
    step(Wanted{5});
    step(ReaderAt{.reader = 1, .index = 900});
    step(Wanted{900});
    std::set<std::uint64_t> firsts;
    for (const Ask& ask : all_slots()) firsts.insert(ask.blocks->first);
    EXPECT_TRUE(firsts.contains(5));
    EXPECT_TRUE(firsts.contains(900));
}

// Those who read on share what can be asked for.
TEST_F(DownloadRules, ReadersTakeTurns) {
    wants_all = false;
    open(1, 1000);
    step(ReaderAt{.reader = 1, .index = 0});
    step(ReaderAt{.reader = 2, .index = 500});
    std::size_t low = 0;
    const auto asks = all_slots();
    for (const Ask& ask : asks) low += ask.blocks->first < 500 ? 1 : 0;
    EXPECT_EQ(asks.size(), 4U);
    EXPECT_EQ(low, 2U);
    step(ReaderGone{1});
    answer(asks[0]);
    EXPECT_GE(slot()->blocks->first, 500U) << "nobody reads there any more";
}

TEST(BlockSetModel, IsASet) {
    SeededRng rng(draco::testing::test_seed(1));
    BlockSet set;
    std::set<std::uint64_t> model;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t at = rng.below(100);
        if (const auto what = rng.below(4); what == 0) {
            const std::uint64_t end = at + rng.below(10);
            set.insert(at, end);
            for (std::uint64_t n = at; n < end; ++n) model.insert(n);
        } else if (what == 1) {
            set.erase(at);
            model.erase(at);
        } else if (what == 2) {
            ASSERT_EQ(set.contains(at), model.contains(at));
            const auto next = model.lower_bound(at);
            ASSERT_EQ(set.next(at),
                      next == model.end() ? std::nullopt : std::optional<std::uint64_t>(*next));
        } else {
            const auto run = set.take(at, 1 + rng.below(6));
            const auto first = model.lower_bound(at);
            ASSERT_EQ(run.has_value(), first != model.end());
            if (!run) continue;
            ASSERT_EQ(run->first, *first);
            for (std::uint64_t n = run->first; n < run->second; ++n) ASSERT_EQ(model.erase(n), 1U);
        }
        ASSERT_EQ(set.empty(), model.empty());
    }
}

}  // namespace
}  // namespace draco::fetcher
