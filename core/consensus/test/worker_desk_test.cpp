#include "draco/consensus/worker_desk.hpp"

#include "draco/consensus/core.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

template <class M>
std::vector<M> told(const std::vector<WorkerSend>& sends, std::size_t lane) {
    std::vector<M> messages;
    for (const WorkerSend& send : sends) {
        if (send.lane != lane) continue;
        const auto message = bcs::decode<ToWorkerProcess>(*send.message).value();
        if (const M* wanted = std::get_if<M>(&std::get<ToWorker>(message)))
            messages.push_back(*wanted);
    }
    return messages;
}

class WorkerDeskTest : public ::testing::Test {
protected:
    std::vector<WorkerSend> flushed() {
        std::vector<WorkerSend> sends;
        desk.flush(sends);
        return sends;
    }

    CheckedBatch own(std::uint64_t sequence, std::uint16_t worker = 0) const {
        types::Batch batch = four.batch(0, sequence);
        batch.worker = types::WorkerIndex(worker);
        return checked(kChain, std::move(batch));
    }

    // The number of its ReportAll.
    std::uint64_t up(std::size_t lane) {
        desk.up(lane, UnixTime{5'000});
        return told<ReportAll>(flushed(), lane).at(0).number;
    }

    void knows_all(std::size_t lane) {
        ASSERT_TRUE(desk.awaits(lane, {epoch, up(lane)}));
        desk.all_reported(lane);
    }

    TestCommittee four = TestCommittee::make(4);
    Epoch epoch = four.committee.epoch();
    WorkerDesk desk{epoch, 2};
};

TEST_F(WorkerDeskTest, SaysNothingToALaneThatIsDown) {
    // Whatever it is to be told, before its link is up and after it is down.
    const auto tell_everything = [&] {
        const CheckedBatch batch = own(1);
        desk.hold(0, {batch.digest, member(2), Round(1)});
        desk.fetch(0, {batch.digest, member(2), Round(1)});
        desk.keep(batch, Round(3));
        desk.settle(batch, Settlement::Executed);
        desk.announce(batch);
        EXPECT_FALSE(desk.submit({transaction(110)}));
        desk.end_epoch();
    };
    desk.progress(Round(1), Round(0), Round(0));
    tell_everything();
    EXPECT_TRUE(flushed().empty());
    EXPECT_FALSE(desk.any_up());
    knows_all(0);
    static_cast<void>(flushed());
    desk.down(0);
    desk.progress(Round(2), Round(0), Round(0));
    tell_everything();
    EXPECT_TRUE(flushed().empty());
}

TEST_F(WorkerDeskTest, TellsProgressWhenTheWorkerHasSaidAll) {
    // Before, the worker might forget what nobody has told it to keep.
    desk.progress(Round(7), Round(2), Round(1));
    const std::uint64_t number = up(0);
    EXPECT_TRUE(told<Progress>(flushed(), 0).empty());
    ASSERT_TRUE(desk.awaits(0, {epoch, number}));
    desk.keep(own(1), Round(9));
    desk.all_reported(0);
    const auto sends = flushed();
    EXPECT_EQ(told<Progress>(sends, 0),
              (std::vector{Progress{epoch, Round(7), Round(2), Round(1)}}));
    ASSERT_EQ(sends.size(), 2U);
    EXPECT_EQ(told<KeepBatches>({sends[0]}, 0).size(), 1U) << "what it must keep comes first";
    EXPECT_TRUE(flushed().empty());
    desk.progress(Round(7), Round(2), Round(1));
    EXPECT_TRUE(flushed().empty()) << "no news";
    desk.progress(Round(8), Round(2), Round(1));
    EXPECT_EQ(told<Progress>(flushed(), 0).size(), 1U);
}

TEST_F(WorkerDeskTest, IgnoresAStaleAllReported) {
    // Of an earlier question, of another epoch, or of a worker that has answered: in this life of
    // the node and, by the clock, in the next.
    const std::uint64_t first = up(0);
    const std::uint64_t second = up(0);
    EXPECT_GT(second, first);
    EXPECT_FALSE(desk.awaits(0, {epoch, first}));
    EXPECT_FALSE(desk.awaits(0, {Epoch(epoch.value() + 1), second}));
    EXPECT_TRUE(desk.awaits(0, {epoch, second}));
    desk.all_reported(0);
    EXPECT_FALSE(desk.awaits(0, {epoch, second}));
    desk.down(0);
    EXPECT_FALSE(desk.awaits(0, {epoch, second}));
    WorkerDesk next_life(epoch, 2);
    next_life.up(0, UnixTime{5'100});
    EXPECT_FALSE(next_life.awaits(0, {epoch, second}));
}

TEST_F(WorkerDeskTest, TellsAgainWhatIsNotSettled) {
    // Until the worker says that it is; also what was to be settled while its link was down.
    knows_all(0);
    desk.settle(own(1), Settlement::Executed);
    desk.settle(own(2), Settlement::Dissolved);
    EXPECT_EQ(told<SettleBatches>(flushed(), 0).size(), 2U);
    desk.down(0);
    desk.settle(own(3), Settlement::Executed);
    WorkerReport report{epoch, 0, {}, {}};
    ASSERT_TRUE(report.settled.try_push_back(own(1).digest));
    desk.reported(0, report);
    EXPECT_FALSE(desk.settles(0, own(1).digest));
    knows_all(0);
    const auto again = told<SettleBatches>(flushed(), 0);
    ASSERT_EQ(again.size(), 2U);
    EXPECT_EQ(again[0].how, Settlement::Executed);
    EXPECT_EQ(*again[0].batches, std::vector{own(3).digest});
    EXPECT_EQ(again[1].how, Settlement::Dissolved);
    EXPECT_EQ(*again[1].batches, std::vector{own(2).digest});
}

TEST_F(WorkerDeskTest, RemembersWhatWasReportedSinceTheLaneCameUp) {
    // A worker that comes back has to say it again.
    up(0);
    WorkerReport report{epoch, 17, {}, {}};
    ASSERT_TRUE(report.held.try_push_back(head_of(own(1), Round(5))));
    desk.reported(0, report);
    EXPECT_TRUE(desk.has_reported(0, own(1).digest));
    EXPECT_FALSE(desk.has_reported(1, own(1).digest));
    EXPECT_EQ(desk.own_bytes(), 17U);
    desk.down(0);
    up(0);
    EXPECT_FALSE(desk.has_reported(0, own(1).digest));
}

TEST_F(WorkerDeskTest, ChoosesTheLane) {
    // Batches by their worker index; transactions in turn, to those that are up.
    EXPECT_EQ(desk.lane_of(types::WorkerIndex(5)), 1U);
    knows_all(0);
    knows_all(1);
    desk.settle(own(1, 1), Settlement::Executed);
    ASSERT_TRUE(desk.submit({transaction(110)}));
    ASSERT_TRUE(desk.submit({transaction(111)}));
    auto sends = flushed();
    EXPECT_EQ(told<SettleBatches>(sends, 1).size(), 1U);
    EXPECT_TRUE(told<SettleBatches>(sends, 0).empty());
    EXPECT_EQ(told<SubmitTransactions>(sends, 0).size(), 1U);
    EXPECT_EQ(told<SubmitTransactions>(sends, 1).size(), 1U);
    EXPECT_EQ(desk.own_bytes(), 221U);
    desk.down(0);
    ASSERT_TRUE(desk.submit({transaction(112)}));
    ASSERT_TRUE(desk.submit({transaction(113)}));
    sends = flushed();
    EXPECT_EQ(told<SubmitTransactions>(sends, 1).size(), 2U);
}

TEST_F(WorkerDeskTest, TellsOfTheEpochsEndWhenTheWorkerHasSaidAll) {
    // At once to a lane that has, to the other when it comes up and has.
    knows_all(0);
    static_cast<void>(flushed());
    desk.end_epoch();
    EXPECT_EQ(told<EpochOver>(flushed(), 0).size(), 1U);
    up(1);
    EXPECT_TRUE(told<EpochOver>(flushed(), 1).empty());
    desk.all_reported(1);
    EXPECT_EQ(told<EpochOver>(flushed(), 1).size(), 1U);
}

// --- the core at the desk ---

class CoreWithWorkersTest : public ::testing::Test {
protected:
    CoreWithWorkersTest() {
        core =
            Core::make({kChain, four.committee, four.keys[0].clone(), {}, {}, 1}, {}, {}).value();
    }

    void step(const Event& event) {
        now = now + std::chrono::milliseconds(1);
        out = {};
        core->step(event, {now, UnixTime{1'000'000}}, out);
    }

    void reports(const std::vector<types::Batch>& held) {
        WorkerReport report{epoch, 0, {}, {}};
        for (const types::Batch& batch : held)
            ASSERT_TRUE(report.held.try_push_back(head_of(checked(kChain, batch), Round(50))));
        step(WorkerSaid{0, report});
    }

    // Comes up with these.
    void comes_up(const std::vector<types::Batch>& held) {
        step(WorkerLink{0, true});
        const auto asked = told<ReportAll>(out.to_workers, 0);
        ASSERT_EQ(asked.size(), 1U);
        reports(held);
        step(WorkerSaid{0, AllReported{epoch, asked[0].number}});
    }

    void hears(std::size_t from, Message message) {
        step(MessageReceived{
            member(from),
            verify(std::move(message), member(from), four.committee, kChain).value()});
    }

    std::optional<types::Header> proposed() const {
        for (const Send& send : out.sends) {
            const Message message = decode_message(*send.message).value();
            if (const auto* header = std::get_if<types::SignedHeader>(&message))
                return header->header;
        }
        return std::nullopt;
    }

    // Own and others' certificates of round 0, so that a header of round 1 is due.
    std::optional<types::Header> next_header_after(const types::Header& own) {
        for (std::size_t i = 1; i < 3; ++i) {
            hears(i, four.certify(four.header(0, i), 3));
            if (const auto header = proposed()) return header;
        }
        for (std::size_t i = 1; i < 3; ++i) {
            hears(i, four.vote(own, i));
            if (const auto header = proposed()) return header;
        }
        for (int i = 0; i < 20 && out.wake; ++i) {
            now = std::max(now, *out.wake);
            step(WakeUp{});
            if (const auto header = proposed()) return header;
        }
        return std::nullopt;
    }

    TestCommittee four = TestCommittee::make(4);
    Epoch epoch = four.committee.epoch();
    std::unique_ptr<Core> core;
    Instant now;
    Effects out;
};

TEST_F(CoreWithWorkersTest, TakesNoBatchFromAMember) {
    // Batches go from worker to worker; a member that sends one is counted.
    hears(2, four.batch(2, 1));
    EXPECT_EQ(core->refusals().of(member(2), Refusal::NotAskedFor), 1U);
}

TEST_F(CoreWithWorkersTest, ProposesWhatItsWorkerReports) {
    // By the head alone: the content is at the worker. Of another lane's author it believes none.
    comes_up({});
    EXPECT_FALSE(proposed());
    const types::Batch batch = four.batch(0, 0);
    reports({batch});
    ASSERT_TRUE(proposed());
    ASSERT_EQ(proposed()->batches->size(), 1U);
    EXPECT_EQ((*proposed()->batches)[0].digest, checked(kChain, batch).digest);
}

TEST_F(CoreWithWorkersTest, TellsClientsToComeBackWhileNoWorkerIsUp) {
    // Nobody could put the transaction into a batch.
    step(TransactionsSubmitted{{transaction(110)}});
    EXPECT_EQ(out.busy, std::vector{transaction(110)});
    comes_up({});
    step(TransactionsSubmitted{{transaction(110)}});
    EXPECT_TRUE(out.busy.empty());
    EXPECT_EQ(told<SubmitTransactions>(out.to_workers, 0).size(), 1U);
}

TEST_F(CoreWithWorkersTest, ProposesTheSecondBatchInTheNextRound) {
    // The control for the test below: with a worker that keeps its disk, it does.
    comes_up({});
    reports({four.batch(0, 0)});
    const types::Header first = proposed().value();
    reports({four.batch(0, 1)});
    EXPECT_FALSE(proposed());
    step(WorkerLink{0, false});
    comes_up({four.batch(0, 0), four.batch(0, 1)});
    const auto second = next_header_after(first);
    ASSERT_TRUE(second);
    ASSERT_EQ(second->batches->size(), 1U);
    EXPECT_EQ((*second->batches)[0].digest, checked(kChain, four.batch(0, 1)).digest);
}

TEST_F(CoreWithWorkersTest, DoesNotProposeWhatItsWorkerHasLost) {
    // A worker with an empty disk: own batches that are in no header are forgotten, others' that
    // may be needed are fetched again.
    comes_up({});
    reports({four.batch(0, 0)});
    const types::Header first = proposed().value();
    reports({four.batch(0, 1), four.batch(2, 5)});
    step(WorkerLink{0, false});
    comes_up({});
    const auto holds = told<HoldBatches>(out.to_workers, 0);
    ASSERT_EQ(holds.size(), 1U);
    const auto wanted = checked(kChain, four.batch(2, 5)).digest;
    EXPECT_NE(std::ranges::find(*holds[0].batches, wanted, &BatchName::digest),
              holds[0].batches->end());
    const auto second = next_header_after(first);
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->batches->empty());
}

TEST_F(CoreWithWorkersTest, GivesBackWhatALifeWithoutWorkersLogged) {
    // Its own batches are in the core's log, where no worker could send them from: their
    // transactions are submitted anew, once. What it knows of others' is not taken for lost.
    const types::Batch own = four.batch(0, 0);
    const types::Batch theirs = four.batch(2, 5);
    core = Core::make({kChain, four.committee, four.keys[0].clone(), {}, {}, 1},
                      {},
                      {.mode = RecoveryMode::Participant, .records = {own, theirs}, .executed = {}})
               .value();
    step(WakeUp{});
    ASSERT_EQ(out.resubmit.size(), own.transactions.size());
    EXPECT_FALSE(proposed());
    comes_up({});
    EXPECT_TRUE(out.resubmit.empty());
    EXPECT_TRUE(told<HoldBatches>(out.to_workers, 0).empty());
}

}  // namespace
}  // namespace draco::consensus::test
