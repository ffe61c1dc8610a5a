// The core and the journal against a naive chain, over random schedules: words that are honest,
// forged, replayed, decreasing, foreign or above the reserve; crashes inside disk changes, failing
// disks, settlements that are lost, late or answered wrongly. Checked always: each word is judged
// as the rules say, and what was answered with success is there after a crash. Checked at the end,
// when all is well again: the chain has settled exactly the highest word taken on each lane.

#include "draco/simulon/disk.hpp"
#include "draco/testing/seed.hpp"

#include "naive_chain.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <set>

namespace draco::pod {
namespace {

using namespace std::chrono_literals;
using namespace pod::testing;  // NOLINT(google-build-using-namespace): the vocabulary of the tests
using types::LaneKey;

enum class Fault : std::uint8_t { None, ReplyBeforeSync, NoJournal, SettlesOnce };

// What is known of the words of one lane.
struct Truth {
    std::uint64_t instance = 0;
    std::uint64_t taken = 0;    // by the core, durable or not
    std::uint64_t replied = 0;  // with success
};

class Schedule {
public:
    Schedule(std::uint64_t seed, Fault fault) : rng_(seed), disk_(seed), fault_(fault) {
        for (std::uint64_t payer = 1; payer <= 4; ++payer)
            for (std::uint16_t index = 0; index < 2; ++index)
                keys_.push_back(lane_of(payer, index));
        for (const LaneKey& key : keys_) chain_.open(key, 100 + rng_.below(1'000));
        boot();
    }

    // What went wrong, or nothing.
    std::string play(int steps) {
        for (int i = 0; i < steps && problem_.empty(); ++i) random_step();
        faults_ = false;
        disk_.crash_at_change(0);
        disk_.set_options({});
        if (!core_) boot();
        if (problem_.empty()) end_well();
        return problem_;
    }

    std::size_t crashes() const { return crashes_; }

    std::uint64_t replied() const { return replied_; }

private:
    // Half of the lanes close; all that was taken is settled before they end.
    void end_well() {
        flush();
        if (!core_) boot();  // a fault of the disk came to light
        step(ChainSeen{chain_.clock()});
        const auto truths = truths_;
        for (std::size_t i = 0; i < keys_.size(); i += 2)
            if (const auto at = chain_.lanes.find(keys_[i]); at != chain_.lanes.end())
                chain_.close(at->second);
        const auto open = chain_.lanes;
        for (int i = 0; i < 200 && problem_.empty(); ++i) {
            block(1'000);
            while (!pool_.empty()) execute(0);
        }
        if (!problem_.empty()) return;
        for (const auto& [key, lane] : open) {
            const Truth& truth = truths.at(key);
            const std::uint64_t highest = truth.instance == lane.instance
                                              ? std::max(truth.taken, lane.settled)
                                              : lane.settled;
            const auto ended = chain_.settled_of_ended.find({key, lane.instance});
            const std::uint64_t settled = ended != chain_.settled_of_ended.end()
                                              ? ended->second
                                              : chain_.lanes.at(key).settled;
            if (settled != highest)
                problem_ = "the chain has settled " + std::to_string(settled) + " of " +
                           std::to_string(highest);
        }
        if (problem_.empty() && (!core_ || core_->status().unsettled_units != 0))
            problem_ = "something is unsettled";
    }

    void boot() {
        if (disk_.crashed()) disk_.restart();
        auto opened = Journal::open(
            disk_, {.directory = "delivery", .segment_bytes = 4'096}, {kChain, {}, this_node()});
        if (!opened) {
            if (opened.error().code == Errc::Corrupt) problem_ = to_string(opened.error());
            return;
        }
        journal_ = std::move(opened->journal);
        check_kept(opened->content);
        core_.emplace(
            kChain,
            this_node(),
            opened->content,
            CoreOptions{.pace = {.interval = 2s, .epoch_margin = 5s}, .lanes_read_max = 5});
        appended_ = synced_ = 0;
        append_failure_.reset();
        step(ChainSeen{chain_.clock()});
    }

    // What was answered with success is in the journal, or counted by the chain, or its lane has
    // ended.
    void check_kept(const JournalContent& content) {
        for (auto& [key, truth] : truths_) {
            const auto at = content.acks.find(key);
            const bool same =
                at != content.acks.end() && at->second.ack.instance.value() == truth.instance;
            truth.taken = same ? at->second.ack.cumulative : 0;
            const auto lane = chain_.lanes.find(key);
            if (lane == chain_.lanes.end() || lane->second.instance != truth.instance) continue;
            if (std::max(truth.taken, lane->second.settled) < truth.replied)
                problem_ = "a word that was acknowledged is lost";
        }
    }

    void die() {
        core_.reset();
        journal_.reset();
        requests_.clear();
        ++life_;
    }

    void crash() {
        ++crashes_;
        disk_.crash();
        die();
    }

    void random_step() {
        if (!core_) return boot();
        const LaneKey& key = keys_[rng_.below(keys_.size())];
        const auto lane = chain_.lanes.find(key);
        switch (rng_.below(16)) {
            case 0:
            case 1:
            case 2:
            case 3:
            case 4:
                return offer(key);
            case 5:
            case 6:
                return flush();
            case 7:
                if (lane == chain_.lanes.end()) return chain_.open(key, 100 + rng_.below(1'000));
                lane->second.reserve += rng_.below(500);
                return;
            case 8:
                if (lane != chain_.lanes.end() && rng_.chance(0.2)) chain_.close(lane->second);
                return;
            case 9:
            case 10:
                return block(rng_.below(4'000));
            case 11:
                if (!pool_.empty()) execute(rng_.below(pool_.size()));
                return;
            case 12:
                if (!pool_.empty()) lose(rng_.below(pool_.size()));
                return;
            case 13:
                return step(PeersServed{{{number_key<types::NodeKey>(7), 1 + rng_.below(9)}}});
            case 14:
                if (rng_.chance(0.3)) return crash();
                return disk_.crash_at_change(1 + rng_.below(6));
            default:
                disk_.set_options({.write_error = rng_.chance(0.1) ? 0.2 : 0.0,
                                   .sync_error = rng_.chance(0.1) ? 0.3 : 0.0});
        }
    }

    void block(std::uint64_t later_ms) {
        chain_.block(later_ms);
        now_ = now_ + std::chrono::milliseconds(later_ms);
        step(TimePassed{});
        step(ChainSeen{chain_.clock()});
        if (!faults_) flush();
    }

    // A word of any kind, and all reasons there are to refuse it.
    void offer(const LaneKey& key) {
        const LaneOnChain chain = chain_.look_up(key);
        const Truth& truth = truths_[key];
        std::uint64_t instance = chain.lane ? chain.lane->instance.value() : truth.instance;
        std::uint64_t session_id = instance % 5;
        const bool known = chain.lane && truth.instance == instance;
        const std::uint64_t settled = chain.lane ? chain.lane->settled : 0;
        const std::uint64_t before = known ? std::max(truth.taken, settled) : settled;
        std::uint64_t cumulative = before + rng_.below(20'000);
        LaneKey said = key;
        std::set<Errc> reasons;
        switch (rng_.below(10)) {
            case 0:
                cumulative = before;
                break;
            case 1:
                cumulative = rng_.below(before + 1);
                break;
            case 2:
                said.node = number_key<types::NodeKey>(99);
                reasons.insert(Errc::NotFound);
                break;
            case 3:
                instance = rng_.chance(0.5) ? instance + 1 : instance - 1;
                reasons.insert(Errc::NotFound);
                break;
            case 4:
                session_id += 1;
                reasons.insert(Errc::Unauthenticated);
                break;
            default:
                break;
        }
        if (!chain.lane) reasons.insert(Errc::NotFound);
        if (cumulative < before) reasons.insert(Errc::InvalidArgument);
        if (chain.lane && cumulative > settled &&
            NaiveChain::price(cumulative) - NaiveChain::price(settled) > chain.lane->reserve.units)
            reasons.insert(Errc::Exhausted);
        const RequestId request = ++request_last_;
        requests_[request] = {key, instance, cumulative, reasons};
        step(AckReceived{request, word(said, instance, cumulative, session(session_id)), chain});
    }

    void check_reply(const Reply& reply) {
        const auto at = requests_.find(reply.request);
        if (at == requests_.end()) {
            problem_ = "a reply to nobody";
            return;
        }
        const Request asked = at->second;
        requests_.erase(at);
        if (!reply.result) {
            const bool expected = asked.reasons.contains(reply.result.error().code) ||
                                  reply.result.error().code == Errc::Io;
            if (!expected) problem_ = "refused: " + to_string(reply.result.error());
            return;
        }
        if (!asked.reasons.empty()) problem_ = "taken, and it must not be";
        if (reply.result->acknowledged < asked.cumulative) problem_ = "a reply denies the word";
        ++replied_;
        Truth& truth = truths_[asked.key];
        if (truth.instance == asked.instance)
            truth.replied = std::max(truth.replied, asked.cumulative);
    }

    void execute(std::size_t index) {
        const Sent sent = take(index);
        if (fault_ == Fault::SettlesOnce && ++executed_ > 1) return;
        const auto judgement = chain_.settle(sent.submit.content);
        if (sent.life != life_) return;
        if (!judgement)
            return step(Judged{sent.submit.settlement, fail(Errc::Exhausted, "no more today")});
        if (faults_ && rng_.chance(0.2))
            return step(Judged{sent.submit.settlement, fail(Errc::Abandoned, "stopped")});
        step(Judged{sent.submit.settlement, *judgement});
    }

    void lose(std::size_t index) {
        const Sent sent = take(index);
        if (sent.life == life_)
            step(Judged{sent.submit.settlement, fail(Errc::Abandoned, "stopped")});
    }

    struct Sent {
        Submit submit;
        std::uint64_t life;
    };

    Sent take(std::size_t index) {
        Sent sent = pool_[index];
        pool_.erase(pool_.begin() + static_cast<std::ptrdiff_t>(index));
        return sent;
    }

    void flush() {
        if (!core_ || synced_ == appended_) return;
        Result<> outcome;
        if (append_failure_) outcome = std::unexpected(*append_failure_);
        if (outcome) outcome = journal_->sync();
        if (outcome && journal_->wants_rewrite(core_->live_count()))
            outcome = journal_->rewrite(core_->live());
        synced_ = appended_;
        step(Persisted{synced_, outcome});
    }

    void step(Event event) {
        std::deque<Event> events;
        events.push_back(std::move(event));
        while (!events.empty() && core_) {
            Effects effects;
            core_->step(std::move(events.front()), now_, effects);
            events.pop_front();
            for (const Effect& effect : effects) perform(effect, events);
        }
        if (core_ && core_->failure()) disk_.crashed() ? crash() : die();
    }

    void perform(const Effect& effect, std::deque<Event>& events) {
        if (const auto* persist = std::get_if<Persist>(&effect)) {
            append(*persist, events);
        } else if (const auto* read = std::get_if<ReadLanes>(&effect)) {
            LanesRead answer;
            for (const LaneKey& key : read->lanes)
                if (!faults_ || rng_.chance(0.9))
                    answer.lanes.emplace_back(key, chain_.look_up(key));
            events.emplace_back(std::move(answer));
        } else if (const auto* submit = std::get_if<Submit>(&effect)) {
            check_submit(*submit);
            pool_.push_back({*submit, life_});
        } else if (const auto* reply = std::get_if<Reply>(&effect)) {
            check_reply(*reply);
        }
    }

    void append(const Persist& persist, std::deque<Event>& events) {
        appended_ = persist.ticket;
        if (const auto* one = std::get_if<types::SignedDeliveryAck>(&persist.record)) {
            Truth& truth = truths_[{one->ack.payer, one->ack.node, one->ack.lane}];
            if (truth.instance != one->ack.instance.value())
                truth = {.instance = one->ack.instance.value(), .taken = 0, .replied = 0};
            truth.taken = one->ack.cumulative;
        }
        if (fault_ != Fault::NoJournal && !append_failure_)
            if (const auto appended = journal_->append(persist.record); !appended)
                append_failure_ = appended.error();
        if (fault_ == Fault::ReplyBeforeSync) events.emplace_back(Persisted{appended_, {}});
    }

    void check_submit(const Submit& submit) {
        std::set<LaneKey> lanes;
        for (const auto& one : submit.content.acks) {
            const LaneKey key{one.ack.payer, one.ack.node, one.ack.lane};
            if (!lanes.insert(key).second) problem_ = "a lane twice in one settlement";
        }
        if (lanes.empty() || lanes.size() > types::kSettlementAcksMax)
            problem_ = "a settlement out of bounds";
        for (const Sent& sent : pool_)
            if (sent.life == life_) problem_ = "two settlements under way";
    }

    struct Request {
        LaneKey key;
        std::uint64_t instance = 0;
        std::uint64_t cumulative = 0;
        std::set<Errc> reasons;
    };

    simulon::SeededRng rng_;
    simulon::SimulatedDisk disk_;
    const Fault fault_;
    std::vector<LaneKey> keys_;
    NaiveChain chain_;
    std::unique_ptr<Journal> journal_;
    std::optional<Core> core_;
    std::map<LaneKey, Truth> truths_;
    std::map<RequestId, Request> requests_;
    RequestId request_last_ = 0;
    std::vector<Sent> pool_;
    std::uint64_t life_ = 0;
    Ticket appended_ = 0;
    Ticket synced_ = 0;
    std::optional<Error> append_failure_;
    Instant now_{1s};
    bool faults_ = true;
    std::size_t crashes_ = 0;
    std::size_t executed_ = 0;
    std::uint64_t replied_ = 0;
    std::string problem_;
};

// No schedule loses a word that was answered with success, and all that was taken is settled.
TEST(PodModel, NothingAcknowledgedIsLost) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    std::size_t crashes = 0;
    std::uint64_t replied = 0;
    for (std::uint64_t i = 0; i < draco::testing::scaled(150); ++i) {
        Schedule run(seed + i, Fault::None);
        const std::string problem = run.play(300);
        ASSERT_EQ(problem, "") << "run with DRACO_SEED=" << seed + i;
        crashes += run.crashes();
        replied += run.replied();
    }
    EXPECT_GT(crashes, 500U);
    EXPECT_GT(replied, 1'000U);
}

// The checker sees a driver that answers before the sync, one that keeps nothing, and a chain that
// does not execute what it is sent.
TEST(PodModel, PlantedFaultsAreFound) {
    const auto found = [](Fault fault, std::string_view problem) {
        int count = 0;
        for (std::uint64_t seed = 1; seed <= 30; ++seed)
            count += Schedule(seed, fault).play(300).contains(problem) ? 1 : 0;
        return count;
    };
    EXPECT_GT(found(Fault::ReplyBeforeSync, "is lost"), 0);
    EXPECT_GT(found(Fault::NoJournal, "is lost"), 0);
    EXPECT_GT(found(Fault::SettlesOnce, "the chain has settled"), 0);
}

}  // namespace
}  // namespace draco::pod
