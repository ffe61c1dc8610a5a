#include "draco/consensus/batch_age.hpp"
#include "draco/consensus/batch_maker.hpp"
#include "draco/consensus/batch_store.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

constexpr Instant at(std::int64_t ms) {
    return Instant{std::chrono::milliseconds(ms)};
}

class BatchMakerTest : public ::testing::Test {
protected:
    CheckedBatch sealed(std::size_t bytes, std::int64_t ms = 0) {
        EXPECT_TRUE(maker.submit(transaction(bytes), at(ms), full));
        return maker.seal(at(ms)).value();
    }

    // Of `count` transactions.
    CheckedBatch sealed_of(std::size_t count, std::size_t bytes, std::int64_t ms) {
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_TRUE(maker.submit(transaction(bytes), at(ms), full));
        return maker.seal(at(ms)).value();
    }

    Parameters parameters;
    std::vector<CheckedBatch> full;
    BatchMaker maker{parameters, kChain, Epoch(3), member(1), types::WorkerIndex(0), 3};
};

TEST_F(BatchMakerTest, SealsWhenFullAndByTime) {
    // A batch closes before the transaction that would overfill it; an open one has a deadline.
    const std::size_t size = types::kTransactionBytesMax;
    const std::size_t fits = parameters.batch_bytes / size;
    for (std::size_t i = 0; i < fits; ++i)
        EXPECT_TRUE(maker.submit(transaction(size), at(5), full));
    EXPECT_TRUE(full.empty());
    EXPECT_EQ(maker.seal_deadline(), at(5) + parameters.batch_delay_max);
    EXPECT_TRUE(maker.submit(transaction(size), at(6), full));
    ASSERT_EQ(full.size(), 1U);
    EXPECT_EQ(full[0].batch->transactions.size(), fits);
    EXPECT_EQ(maker.seal_deadline(), at(6) + parameters.batch_delay_max);
}

TEST_F(BatchMakerTest, TheSameTransactionTwiceIsTwoBatches) {
    // Also where another member made the other: who waits for one does not get the other.
    const CheckedBatch first = sealed(110);
    const CheckedBatch second = sealed(110);
    EXPECT_EQ(first.batch->transactions, second.batch->transactions);
    EXPECT_NE(first.digest, second.digest);
    types::Batch of_another = *first.batch;
    of_another.author = member(2);
    EXPECT_NE(checked(kChain, std::move(of_another)).digest, first.digest);
}

TEST_F(BatchMakerTest, LargeBatchesWaitForHoldersOrGrace) {
    // A small batch is ready at once; a large one when 2f others hold it, or when its grace ends.
    sealed(100);
    EXPECT_EQ(maker.take(Round(0)).size(), 1U);
    const CheckedBatch large = sealed_of(4, parameters.batch_bytes_small / 3, 0);
    EXPECT_FALSE(maker.has_ready());
    maker.stored(large.digest, member(0));
    maker.stored(large.digest, member(0));
    EXPECT_FALSE(maker.has_ready()) << "one holder twice is one holder";
    maker.stored(large.digest, member(2));
    EXPECT_TRUE(maker.has_ready());
    maker.take(Round(1));
    sealed_of(4, parameters.batch_bytes_small / 3, 50);
    maker.end_grace(at(50) + parameters.batch_grace - Duration(1));
    EXPECT_FALSE(maker.has_ready());
    maker.end_grace(at(50) + parameters.batch_grace);
    EXPECT_TRUE(maker.has_ready());
}

TEST_F(BatchMakerTest, SmallBatchesWaitBehindLargeOnes) {
    // What is sent behind a batch that others do not have yet is not there either: it is named
    // after it. What travels in front of the header is not behind anything.
    const CheckedBatch large = sealed_of(4, parameters.batch_bytes_small / 3, 0);
    const CheckedBatch small = sealed_of(2, parameters.batch_bytes_small / 3, 1);
    EXPECT_FALSE(maker.has_ready());
    const CheckedBatch tiny = sealed(110);
    EXPECT_EQ(maker.take(Round(1)).front().digest, tiny.digest);
    maker.stored(large.digest, member(0));
    maker.stored(large.digest, member(2));
    const auto taken = maker.take(Round(2));
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].digest, large.digest);
    EXPECT_EQ(taken[1].digest, small.digest);
}

TEST_F(BatchMakerTest, LosesNothingOnTheWay) {
    // A header that is abandoned or falls below the floor gives its batches back, unless they were
    // ordered; what no block orders comes back at the epoch's end, oldest first.
    const CheckedBatch first = sealed(110);
    const CheckedBatch second = sealed(111);
    EXPECT_EQ(maker.take(Round(4)).size(), 2U);
    EXPECT_FALSE(maker.has_ready());
    maker.abandon(Round(4));
    EXPECT_EQ(maker.take(Round(5)).front().digest, first.digest);
    maker.ordered(first.digest, types::Height(8));
    maker.raise_floor(Round(5));
    EXPECT_FALSE(maker.has_ready());
    maker.raise_floor(Round(6));
    EXPECT_EQ(maker.take(Round(7)).front().digest, second.digest);
    EXPECT_TRUE(maker.submit(transaction(112), at(1), full));
    EXPECT_EQ(maker.unordered_after(types::Height(8)),
              (std::vector{transaction(111), transaction(112)}));
    EXPECT_EQ(maker.unordered_after(types::Height(7)).size(), 3U);
}

TEST_F(BatchMakerTest, NamesNoBatchThatIsNotOfAge) {
    // A header gets what was sealed in its round or in the rounds before it that may still be
    // named, and what is skipped stays ready.
    maker.enter(Round(7));
    const CheckedBatch batch = sealed(110);
    EXPECT_EQ(sealed_in(*batch.batch), Round(7));
    EXPECT_TRUE(maker.take(Round(6)).empty());
    EXPECT_TRUE(maker.take(Round(8 + parameters.batch_age_rounds_max())).empty());
    EXPECT_TRUE(maker.has_ready());
    EXPECT_EQ(maker.take(Round(7 + parameters.batch_age_rounds_max())).size(), 1U);
}

TEST_F(BatchMakerTest, SealsAnewWhatIsTooOldForAnyHeader) {
    // Not before every header that may name it is below the floor: the transactions would be in two
    // batches that can both be ordered.
    maker.enter(Round(7));
    const CheckedBatch old = sealed(110);
    const std::size_t bytes = maker.bytes();
    const std::uint64_t last = 7 + parameters.batch_age_rounds_max();
    maker.enter(Round(last + 30));
    EXPECT_TRUE(maker.renew(Round(last)).empty());
    const auto renewed = maker.renew(Round(last + 1));
    ASSERT_EQ(renewed.size(), 1U);
    EXPECT_NE(renewed[0].digest, old.digest);
    EXPECT_EQ(renewed[0].batch->transactions, old.batch->transactions);
    EXPECT_EQ(maker.bytes(), bytes);
    EXPECT_TRUE(maker.renew(Round(last + 1)).empty()) << "once";
    const auto taken = maker.take(Round(last + 30));
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].digest, renewed[0].digest);
    maker.ordered(old.digest, types::Height(1));
    EXPECT_TRUE(maker.outstanding());
    maker.ordered(renewed[0].digest, types::Height(1));
    EXPECT_FALSE(maker.outstanding());
}

TEST_F(BatchMakerTest, RefusesWhatDoesNotFitUntilBlocksAreExecuted) {
    // The bound counts until execution, and what is too short for a transaction is refused.
    EXPECT_FALSE(maker.submit(transaction(0), at(0), full));
    EXPECT_FALSE(maker.submit(transaction(types::kTransactionBytesMin - 1), at(0), full));
    std::size_t taken = 0;
    while (maker.submit(transaction(types::kTransactionBytesMax), at(0), full)) ++taken;
    EXPECT_LE(maker.bytes(), parameters.own_bytes_max + types::kBatchBytesMax);
    EXPECT_GT(taken, 100U);
    for (const CheckedBatch& batch : full) maker.ordered(batch.digest, types::Height(1));
    EXPECT_FALSE(maker.submit(transaction(types::kTransactionBytesMax), at(0), full));
    maker.executed(types::Height(1));
    EXPECT_TRUE(maker.submit(transaction(types::kTransactionBytesMax), at(0), full));
}

TEST(BatchStore, BoundsWhatAnAuthorMayPush) {
    // Pushed batches stop at the author's quota, requested ones do not, and the floor makes room.
    const TestCommittee four = TestCommittee::make(4);
    const auto batch = [&](std::uint64_t sequence) {
        return checked(kChain, four.batch(2, sequence, 1000));
    };
    const std::size_t cost = BatchStore::cost(batch(1));
    BatchStore store(4, 2 * cost + cost / 2, 1U << 20U, 100);
    using Addition = BatchStore::Addition;
    EXPECT_EQ(store.add(batch(1), Round(3), BatchStore::Demand::Pushed), Addition::Added);
    EXPECT_EQ(store.add(batch(1), Round(3), BatchStore::Demand::Pushed), Addition::Known);
    EXPECT_EQ(store.add(batch(2), Round(3), BatchStore::Demand::Pushed), Addition::Added);
    EXPECT_EQ(store.add(batch(3), Round(3), BatchStore::Demand::Pushed), Addition::OverQuota);
    EXPECT_EQ(store.add(batch(4), Round(3), BatchStore::Demand::Requested), Addition::Added);
    store.keep_until(batch(1).digest, Round(9));
    store.raise_floor(Round(4));
    EXPECT_NE(store.find(batch(1).digest), nullptr) << "a header of round 9 names it";
    EXPECT_EQ(store.find(batch(2).digest), nullptr);
    EXPECT_EQ(store.add(batch(3), Round(4), BatchStore::Demand::Pushed), Addition::Added);
    store.raise_floor(Round(10));
    EXPECT_EQ(store.size(), 0U);
    EXPECT_EQ(store.bytes(member(2)), 0U);
}

TEST(BatchStore, BoundsWhatAllTogetherMayPush) {
    // Once full, nothing is pushed by anybody until batches are forgotten.
    const TestCommittee four = TestCommittee::make(4);
    const CheckedBatch first = checked(kChain, four.batch(1, 1, 1000));
    const CheckedBatch second = checked(kChain, four.batch(2, 1, 1000));
    BatchStore store(4, 2 * BatchStore::cost(first), BatchStore::cost(first), 100);
    EXPECT_EQ(store.add(first, Round(0), BatchStore::Demand::Pushed), BatchStore::Addition::Added);
    EXPECT_FALSE(store.has_room());
    EXPECT_EQ(store.add(second, Round(0), BatchStore::Demand::Pushed),
              BatchStore::Addition::OverQuota);
    store.raise_floor(Round(1));
    EXPECT_TRUE(store.has_room());
}

TEST(BatchStore, SaysWhenABatchNeedsARecord) {
    // Once, and again for a header above the rounds for which the log keeps the last record.
    const TestCommittee four = TestCommittee::make(4);
    const CheckedBatch batch = checked(kChain, four.batch(1, 1));
    BatchStore store(4, 1U << 20U, 1U << 20U, 100);
    EXPECT_EQ(store.to_log(batch.digest, Round(0)), nullptr) << "not held";
    store.add(batch, Round(5), BatchStore::Demand::Pushed);
    ASSERT_NE(store.to_log(batch.digest, Round(7)), nullptr);
    EXPECT_EQ(store.to_log(batch.digest, Round(6)), nullptr);
    EXPECT_EQ(store.to_log(batch.digest, Round(107)), nullptr);
    EXPECT_NE(store.to_log(batch.digest, Round(108)), nullptr);
    EXPECT_EQ(store.to_log(batch.digest, Round(208)), nullptr);
}

TEST(BatchStore, CountsWhatBatchesTakeInMemory) {
    // Of what decodes, batches of nothing take the most memory for their bytes, and empty
    // transactions should take none beside them: neither may multiply the bound.
    constexpr std::size_t kBound = std::size_t{1} << 20;
    const auto fill = [&](std::size_t transactions) {
        BatchStore store(4, kBound, 1U << 30U, 100);
        std::uint64_t sequence = 0;
        for (;; ++sequence) {
            types::Batch batch{Epoch(3), member(2), types::WorkerIndex(0), sequence, {}};
            for (std::size_t i = 0; i < transactions; ++i)
                EXPECT_TRUE(batch.transactions.try_push_back(*transaction(0)));
            if (store.add(checked(kChain, std::move(batch)),
                          Round(0),
                          BatchStore::Demand::Pushed) == BatchStore::Addition::OverQuota)
                break;
        }
        return sequence;
    };
    EXPECT_LE(fill(10'000) * 10'000, kBound);
    EXPECT_LE(fill(1) * sizeof(types::Batch), kBound / 2);
}

}  // namespace
}  // namespace draco::consensus::test
