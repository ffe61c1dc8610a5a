#include "worker_fixture.hpp"

#include <set>

namespace draco::consensus::test {
namespace {

using Digests = std::vector<types::BatchDigest>;

TEST_F(WorkerTest, ReportsASmallOwnBatchWhenItIsDurable) {
    // Sealed by its age, sent to all at once, and told to the node behind its record.
    step(TransactionsSubmitted{{transaction(110)}});
    EXPECT_TRUE(reported().empty());
    EXPECT_EQ(out.wake, now + parameters.batch_delay_max);
    ASSERT_TRUE(wake());
    const auto batches = sent<types::Batch>();
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_FALSE(out.sends.at(0).to.has_value());
    EXPECT_EQ(out.sends.at(0).release, Release::AtOnce);
    EXPECT_EQ(reported(), Digests{digest_of(batches[0])});
    EXPECT_TRUE(reports_wait_for_the_log());
    ASSERT_EQ(out.persist.size(), 1U);
    EXPECT_EQ(std::get<types::Batch>(record_of(out.persist[0])), batches[0]);
    EXPECT_EQ(told<WorkerReport>().at(0).own_bytes, worker->own_bytes());
}

TEST_F(WorkerTest, ReportsALargeOwnBatchWhenTwoFHoldIt) {
    // One other holder, however often it says so, is not enough; the second is.
    const types::Batch batch = seals_large();
    EXPECT_TRUE(reported().empty());
    const BatchStored stored{epoch(), digest_of(batch)};
    step(PeerMessage{member(0), stored});
    step(PeerMessage{member(0), stored});
    EXPECT_TRUE(reported().empty());
    step(PeerMessage{member(3), stored});
    EXPECT_EQ(reported(), Digests{digest_of(batch)});
}

TEST_F(WorkerTest, ReportsALargeOwnBatchWhenItsGraceIsOver) {
    // Nobody says that it holds the batch: it is reported when the grace ends, not before.
    const types::Batch batch = seals_large();
    ASSERT_EQ(out.wake, now + parameters.batch_grace);
    now = now + parameters.batch_grace - Duration(1);
    step(WakeUp{});
    EXPECT_TRUE(reported().empty());
    ASSERT_TRUE(wake());
    EXPECT_EQ(reported(), Digests{digest_of(batch)});
}

TEST_F(WorkerTest, ReportsAllThatBecomesReadyAtOnce) {
    // Small batches wait behind a large one, more of them than a report holds: when the large one
    // is held by others, all of them are told in one step, in their order.
    parameters.batch_delay_max = milliseconds(1);
    restart();
    const types::Batch large = seals_large();
    Digests expected = {digest_of(large)};
    for (std::size_t i = 0; i < kWorkerBatchesMax + 1; ++i) {
        expected.push_back(digest_of(seals({transaction(110)})));
        ASSERT_TRUE(reported().empty());
    }
    step(PeerMessage{member(0), BatchStored{epoch(), digest_of(large)}});
    step(PeerMessage{member(3), BatchStored{epoch(), digest_of(large)}});
    EXPECT_EQ(reported(), expected);
    EXPECT_GT(told<WorkerReport>().size(), 1U);
}

TEST_F(WorkerTest, ReportsOthersBatchesWhenTheyAreDurable) {
    // Once, behind the record; a small one is not answered, a large one is.
    const types::Batch small = four.batch(2, 7);
    hears(2, small);
    EXPECT_EQ(reported(), Digests{digest_of(small)});
    EXPECT_TRUE(reports_wait_for_the_log());
    EXPECT_EQ(out.persist.size(), 1U);
    EXPECT_TRUE(sent<BatchStored>().empty());
    hears(2, small);
    EXPECT_TRUE(reported().empty());
    EXPECT_TRUE(out.persist.empty());
    types::Batch large = four.batch(2, 8);
    while (checked(kChain, large).bytes <= parameters.batch_bytes_small)
        ASSERT_TRUE(large.transactions.try_push_back(*transaction(60'000)));
    hears(2, large);
    ASSERT_EQ(sent<BatchStored>().size(), 1U);
    EXPECT_EQ(sent<BatchStored>()[0].batch, digest_of(large));
    EXPECT_EQ(out.sends.at(0).to, member(2));
}

TEST_F(WorkerTest, TakesNothingThatIsNotItsAffair) {
    // A batch of another worker index, one that its author did not send, one of a stranger.
    types::Batch other_index = four.batch(2, 7);
    other_index.worker = types::WorkerIndex(1);
    hears(2, other_index);
    hears(3, four.batch(2, 7));
    hears(kSelf, four.batch(kSelf, 7));
    hears(9, four.batch(2, 7));
    EXPECT_EQ(worker->batches_held(), 0U);
    EXPECT_TRUE(log.empty());
}

TEST_F(WorkerTest, RefusesABatchAboveItsAuthorsQuota) {
    // It is neither logged nor reported nor said to be held, and another author's is taken; one
    // that the node asks for is taken all the same.
    parameters.own_bytes_max = types::kBatchBytesMax;
    parameters.peer_bytes_max = 2 * types::kBatchBytesMax;
    restart();
    types::Batch batch = four.batch(2, 0);
    while (batch.transactions.size() < 14)
        ASSERT_TRUE(batch.transactions.try_push_back(*transaction(64'000)));
    std::size_t taken = 0;
    for (hears(2, batch); !reported().empty() && taken < 10; hears(2, batch)) {
        ++taken;
        ++batch.sequence;
    }
    EXPECT_EQ(taken, 2U);
    EXPECT_TRUE(out.persist.empty());
    EXPECT_TRUE(sent<BatchStored>().empty());
    hears(3, four.batch(3, 0));
    EXPECT_EQ(reported().size(), 1U);
    order(with<FetchBatches>(BatchName{digest_of(batch), member(2), Round(0)}));
    hears(2, batch);
    EXPECT_EQ(reported(), Digests{digest_of(batch)});
    EXPECT_EQ(told<types::Batch>(), std::vector{batch});
}

TEST_F(WorkerTest, AnswersAFetchFromHere) {
    // Own batches and others', in the channel for what is large, at once.
    const types::Batch own = seals({transaction(110)});
    const types::Batch other = four.batch(2, 7);
    hears(2, other);
    order(with<FetchBatches>(BatchName{digest_of(own), member(kSelf), Round(1)},
                             BatchName{digest_of(other), member(2), Round(1)}));
    EXPECT_EQ(told<types::Batch>(), (std::vector{own, other}));
    for (const NodeSend& send : out.to_node) EXPECT_EQ(send.channel, Channel::Bulk);
    EXPECT_TRUE(sent<BatchRequest>().empty());
}

TEST_F(WorkerTest, AnswersAFetchWhenAnotherHasSentTheBatch) {
    // The author is asked first and, after the deadline, the next; whose answer goes to the node,
    // and is logged and reported like any other.
    const types::Batch batch = four.batch(2, 7);
    const BatchName name{digest_of(batch), member(2), Round(4)};
    order(with<FetchBatches>(name));
    ASSERT_EQ(sent<BatchRequest>().size(), 1U);
    EXPECT_EQ(out.sends.at(0).to, member(2));
    EXPECT_EQ(out.wake, now + parameters.request_deadline);
    ASSERT_TRUE(wake());
    ASSERT_EQ(sent<BatchRequest>().size(), 1U);
    EXPECT_EQ(out.sends.at(0).to, member(3));
    hears(3, batch);
    EXPECT_EQ(told<types::Batch>(), std::vector{batch});
    EXPECT_EQ(reported(), Digests{digest_of(batch)});
    EXPECT_EQ(out.persist.size(), 1U);
    EXPECT_FALSE(wake());
}

TEST_F(WorkerTest, HoldsWithoutSendingTheContent) {
    // What is only to be held is reported when it is here, now or later; its content stays.
    const types::Batch here = four.batch(2, 7);
    const types::Batch missing = four.batch(3, 7);
    hears(2, here);
    order(with<HoldBatches>(BatchName{digest_of(here), member(2), Round(60)},
                            BatchName{digest_of(missing), member(3), Round(60)}));
    EXPECT_EQ(reported(), Digests{digest_of(here)});
    EXPECT_EQ(told<WorkerReport>().at(0).held->at(0).kept_until, Round(60));
    EXPECT_EQ(sent<BatchRequest>().size(), 1U);
    hears(3, missing);
    EXPECT_EQ(reported(), Digests{digest_of(missing)});
    EXPECT_TRUE(told<types::Batch>().empty());
}

TEST_F(WorkerTest, DoesNotAskForEver) {
    // A node that does not repeat itself has lost interest; one that does is obeyed for longer. And
    // nobody asks for what is below the floor.
    const auto hold =
        with<HoldBatches>(BatchName{digest_of(four.batch(2, 7)), member(2), Round(4)});
    const Instant first = now;
    order(hold);
    std::size_t asked = 0;
    while (wake() && asked < 100) ++asked;
    EXPECT_GT(asked, 4U);
    EXPECT_LT(asked, 100U);
    const Duration interest = now - first;
    order(hold);
    now = now + interest - milliseconds(1);
    order(hold);
    ASSERT_TRUE(wake());
    EXPECT_EQ(sent<BatchRequest>().size(), 1U);
    order(progress(9, 5, 0));
    EXPECT_FALSE(wake());
}

TEST_F(WorkerTest, ServesWhatItHolds) {
    // To another member's worker, each batch it asks for that is here.
    const types::Batch batch = seals({transaction(110)});
    BatchRequest request{epoch(), {}};
    ASSERT_TRUE(request.batches.try_push_back(digest_of(four.batch(3, 1))));
    ASSERT_TRUE(request.batches.try_push_back(digest_of(batch)));
    step(PeerMessage{member(3), request});
    EXPECT_EQ(sent<types::Batch>(), std::vector{batch});
    EXPECT_EQ(out.sends.at(0).to, member(3));
}

TEST_F(WorkerTest, DoesNotReportSettledBatchesAgain) {
    // Not in this life, and not in one that begins from the log; the settlement is confirmed each
    // time it is said, and logged once.
    const types::Batch batch = seals({transaction(110)});
    const types::Batch open = seals({transaction(111)});
    order(settle(Settlement::Executed, batch));
    EXPECT_EQ(settled(), Digests{digest_of(batch)});
    EXPECT_TRUE(returned().empty());
    EXPECT_TRUE(reports_wait_for_the_log());
    ASSERT_EQ(out.persist.size(), 1U);
    EXPECT_EQ(std::get<BatchSettled>(record_of(out.persist[0])).batch, digest_of(batch));
    EXPECT_EQ(reported_when_asked(), Digests{digest_of(open)});
    restart();
    EXPECT_EQ(reported_when_asked(), Digests{digest_of(open)});
    order(settle(Settlement::Executed, batch));
    EXPECT_EQ(settled(), Digests{digest_of(batch)});
    EXPECT_TRUE(out.persist.empty());
}

TEST_F(WorkerTest, GivesBackWhatIsDissolved) {
    // Its transactions, once, before it says that the batch is settled.
    const types::Batch batch = seals({transaction(110), transaction(111)});
    order(settle(Settlement::Dissolved, batch));
    EXPECT_EQ(returned(), (std::vector{transaction(110), transaction(111)}));
    EXPECT_EQ(settled(), Digests{digest_of(batch)});
    EXPECT_EQ(worker->own_bytes(), 0U);
    order(settle(Settlement::Dissolved, batch));
    EXPECT_TRUE(returned().empty());
    EXPECT_EQ(settled(), Digests{digest_of(batch)});
}

TEST_F(WorkerTest, AnEndedEpochGivesBackWhatIsNotSettled) {
    // Batches that no block ordered, also large ones that were never ready, and transactions that
    // are in no batch yet; nothing twice, not even after a restart. What comes later is for the
    // next epoch.
    const types::Batch executed = seals({transaction(110)});
    seals({transaction(111)});
    seals_large();
    order(settle(Settlement::Executed, executed));
    step(TransactionsSubmitted{{transaction(112)}});
    order(EpochOver{epoch()});
    auto expected = std::vector(4, transaction(parameters.batch_bytes_small / 3));
    expected.insert(expected.begin(), transaction(111));
    expected.push_back(transaction(112));
    EXPECT_EQ(returned(), expected);
    EXPECT_EQ(worker->own_bytes(), 0U);
    order(EpochOver{epoch()});
    EXPECT_TRUE(returned().empty());
    step(TransactionsSubmitted{{transaction(113)}});
    EXPECT_EQ(returned(), std::vector{transaction(113)}) << "for the next epoch";
    EXPECT_TRUE(out.busy.empty());
    restart();
    EXPECT_TRUE(reported_when_asked().empty());
    order(EpochOver{epoch()});
    EXPECT_TRUE(returned().empty());
}

TEST_F(WorkerTest, ReturnsWhatTheNodeSubmitsAndItHasNoRoomFor) {
    // To the node, not to clients that never asked.
    parameters.own_bytes_max = types::kBatchBytesMax;
    restart();
    SubmitTransactions submit{epoch(), {}};
    const std::size_t fits = parameters.own_bytes_max / types::kTransactionBytesMax;
    for (std::size_t i = 0; i < fits + 2; ++i)
        ASSERT_TRUE(submit.transactions.try_push_back(transaction(types::kTransactionBytesMax)));
    order(submit);
    EXPECT_TRUE(out.busy.empty());
    EXPECT_GE(returned().size(), 2U);
    EXPECT_LE(worker->own_bytes(), parameters.own_bytes_max + types::kBatchBytesMax);
}

TEST_F(WorkerTest, ARestartReportsWhatWasDurable) {
    // Own batches, large ones too, and others', then AllReported with the number that was asked.
    const types::Batch own = seals({transaction(110)});
    const types::Batch large = seals_large();
    const types::Batch other = four.batch(2, 7);
    hears(2, other);
    restart();
    const Digests again = reported_when_asked(42);
    EXPECT_EQ(std::set(again.begin(), again.end()),
              (std::set{digest_of(own), digest_of(large), digest_of(other)}));
    EXPECT_EQ(again.size(), 3U);
    EXPECT_TRUE(reports_wait_for_the_log());
    const auto all = told<AllReported>();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0], (AllReported{epoch(), 42}));
    EXPECT_EQ(out.to_node.back().release, Release::AfterPersist);
    EXPECT_EQ(*out.to_node.back().message, encode_from_worker(all[0]));
    order(with<FetchBatches>(BatchName{digest_of(large), member(kSelf), Round(1)}));
    EXPECT_EQ(told<types::Batch>(), std::vector{large});
}

TEST_F(WorkerTest, RefusesALogOfAnotherWorker) {
    // Another index, another epoch, or records of a node: nothing of it is believed.
    const auto recovers = [&](Record record) {
        WorkerSeat seat{kChain, four.committee, member(kSelf), types::WorkerIndex(0)};
        return WorkerCore::make(std::move(seat), parameters, {std::move(record)}).has_value();
    };
    types::Batch batch = four.batch(2, 7);
    EXPECT_TRUE(recovers(batch));
    batch.worker = types::WorkerIndex(1);
    EXPECT_FALSE(recovers(batch));
    batch = four.batch(2, 7);
    batch.epoch = Epoch(4);
    EXPECT_FALSE(recovers(batch));
    EXPECT_FALSE(recovers(OwnVote{}));
}

TEST_F(WorkerTest, ALiarsSequenceNumbersMoveNoRecord) {
    // A batch that says to be of the far future has a record of a round that will be pruned, one of
    // the far past a record that outlives every header that may name it.
    order(progress(1'000, 950, 438));
    EXPECT_EQ(out.prune_below, Round(438));
    hears(2, four.batch(2, ~std::uint64_t{0}));
    ASSERT_EQ(out.persist.size(), 1U);
    EXPECT_LE(out.persist[0].round, Round(1'000 + parameters.window_rounds));
    hears(2, four.batch(2, 0));
    ASSERT_EQ(out.persist.size(), 1U);
    EXPECT_GE(out.persist[0].round, Round(1'000));
    order(progress(1'060, 1'051, 539));
    EXPECT_EQ(worker->batches_held(), 0U) << "no header can name them any more";
}

TEST_F(WorkerTest, ALiarsSequenceNumbersDoNotOutliveARestart) {
    // What a worker seals after a restart is of the rounds of its own log, not of those that a liar
    // wrote into a batch: no header could name it.
    order(progress(1'000, 950, 438));
    seals({transaction(110)});
    hears(2, four.batch(2, ~std::uint64_t{0}));
    hears(3, four.batch(3, first_sequence(Round(1'003))));
    restart();
    const types::Batch batch = seals({transaction(111)});
    EXPECT_GE(sealed_in(batch), Round(1'000));
    EXPECT_LE(sealed_in(batch), Round(1'003));
}

TEST_F(WorkerTest, RoundsThatNoBatchCanSayDoNoHarm) {
    // The node is believed, and bounds hold all the same: sequence numbers do not wrap around.
    const Round end(~std::uint64_t{0});
    order(Progress{epoch(), end, end, Round(0)});
    const types::Batch batch = seals({transaction(110)});
    EXPECT_GT(sealed_in(batch), Round(std::uint64_t{1} << 42));
    EXPECT_GE(told<WorkerReport>().at(0).held->at(0).kept_until, sealed_in(batch));
    EXPECT_GE(out.persist.at(0).round, sealed_in(batch));
}

TEST_F(WorkerTest, SaysNothingOfAnotherEpoch) {
    // Orders of another epoch are for another core.
    seals({transaction(110)});
    const Epoch next(epoch().value() + 1);
    order(ReportAll{next, 1, {}});
    order(EpochOver{next});
    EXPECT_TRUE(out.to_node.empty());
    EXPECT_GT(worker->own_bytes(), 0U);
}

}  // namespace
}  // namespace draco::consensus::test
