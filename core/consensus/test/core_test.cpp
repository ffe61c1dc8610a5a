#include "draco/consensus/core.hpp"

#include "draco/testing/seed.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>

namespace draco::consensus::test {
namespace {

Now at(std::int64_t ms) {
    return {Instant{std::chrono::milliseconds(ms)},
            UnixTime{1'000'000 + static_cast<std::uint64_t>(ms)}};
}

class CoreTest : public ::testing::Test {
protected:
    Result<std::unique_ptr<Core>> make(std::vector<Record> records,
                                       std::size_t self = 0,
                                       RecoveryMode mode = RecoveryMode::Participant) {
        Seat seat{kChain, four.committee, four.keys[self].clone(), types::WorkerIndex(0), {}};
        return Core::make(std::move(seat), {}, {mode, std::move(records), {}});
    }

    static Record record_of(const Persist& persist) {
        Bytes whole = persist.record;
        append(whole, persist.rest());
        return decode_record(whole).value();
    }

    static std::vector<Record> records_of(const Effects& effects) {
        std::vector<Record> records;
        for (const Persist& persist : effects.persist) records.push_back(record_of(persist));
        return records;
    }

    template <class M>
    static std::vector<M> sent(const Effects& effects) {
        std::vector<M> messages;
        for (const Send& send : effects.sends) {
            const Message message = decode_message(*send.message).value();
            if (const M* wanted = std::get_if<M>(&message)) messages.push_back(*wanted);
        }
        return messages;
    }

    static types::BatchReference reference(const types::Batch& batch) {
        const CheckedBatch held = checked(kChain, batch);
        return {held.digest, batch.worker, held.bytes};
    }

    template <class R>
    static std::vector<R> logged(const Effects& effects) {
        std::vector<R> records;
        for (const Record& record : records_of(effects))
            if (const R* wanted = std::get_if<R>(&record)) records.push_back(*wanted);
        return records;
    }

    Event from(std::size_t peer, Message message) const {
        return MessageReceived{
            member(peer), verify(std::move(message), member(peer), four.committee, kChain).value()};
    }

    TestCommittee four = TestCommittee::make(4);
};

TEST_F(CoreTest, ProposesAtOnceAndNothingLeavesBeforeItsRecord) {
    // The first transaction goes out in a batch and a header, which leave together when both are in
    // the log.
    const auto core = make({}).value();
    Effects out;
    core->step(TransactionsSubmitted{{transaction(105)}}, at(0), out);
    ASSERT_EQ(sent<types::Batch>(out).size(), 1U);
    ASSERT_EQ(sent<types::SignedHeader>(out).size(), 1U);
    EXPECT_EQ(out.persist.size(), 2U);
    for (const Send& send : out.sends) {
        EXPECT_EQ(send.release, Release::AfterPersist);
        EXPECT_EQ(send.channel, Channel::Consensus);
    }
    EXPECT_TRUE(out.wake.has_value());
}

TEST_F(CoreTest, SaysWhichVotesAreOfUse) {
    // Those for the last own header, until it is certified: what is below need not be verified.
    const auto core = make({}).value();
    EXPECT_EQ(core->votes_awaited_from(), Round(0));
    Effects out;
    core->step(TransactionsSubmitted{{transaction(105)}}, at(0), out);
    EXPECT_EQ(core->votes_awaited_from(), Round(0));
    const auto header = sent<types::SignedHeader>(out).at(0);
    core->step(from(1, four.vote(header.header, 1)), at(1), out);
    EXPECT_EQ(core->votes_awaited_from(), Round(0));
    core->step(from(2, four.vote(header.header, 2)), at(2), out);
    EXPECT_EQ(core->votes_awaited_from(), Round(1));
}

TEST_F(CoreTest, SendsItsLastHeaderAgainAfterARestart) {
    // From the log alone: the very same header to a peer that comes up, and no other for the round.
    auto core = make({}).value();
    Effects before;
    core->step(TransactionsSubmitted{{transaction(105)}}, at(0), before);
    core = make(records_of(before)).value();
    Effects after;
    core->step(TransactionsSubmitted{{transaction(106)}}, at(50), after);
    core->step(LinkUp{member(2)}, at(51), after);
    const auto again = sent<types::SignedHeader>(after);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again, sent<types::SignedHeader>(before));
}

TEST_F(CoreTest, VotesTheSameAfterARestart) {
    // The vote in the log is given again; another header of that round gets none.
    auto core = make({}).value();
    const types::Header header = four.header(0, 1);
    Effects before;
    core->step(from(1, four.sign(header)), at(0), before);
    ASSERT_EQ(sent<types::Vote>(before).size(), 1U);
    core = make(records_of(before)).value();
    Effects after;
    core->step(from(1, four.sign(header)), at(0), after);
    EXPECT_EQ(sent<types::Vote>(after), sent<types::Vote>(before));
    types::Header other = header;
    other.created.ms += 1;
    Effects none;
    core->step(from(1, four.sign(other)), at(0), none);
    EXPECT_TRUE(sent<types::Vote>(none).empty());
    EXPECT_EQ(core->refusals().of(member(1), Refusal::Equivocation), 1U);
}

TEST_F(CoreTest, APushedBatchIsLoggedWhenAVoteRestsOnIt) {
    // However many are pushed, the log gets those of headers that are voted for, each once and
    // before the vote, whose send waits for them.
    const auto core = make({}).value();
    Effects pushed;
    for (std::uint64_t sequence = 0; sequence < 50; ++sequence)
        core->step(from(1, four.batch(1, sequence)), at(0), pushed);
    EXPECT_TRUE(pushed.persist.empty());
    types::Header header = four.header(0, 1);
    for (const std::uint64_t sequence : {7U, 9U})
        ASSERT_TRUE(header.batches.try_push_back(reference(four.batch(1, sequence))));
    Effects voted;
    core->step(from(1, four.sign(header)), at(1), voted);
    const auto records = records_of(voted);
    ASSERT_EQ(records.size(), 4U) << "and the own header of the round";
    EXPECT_EQ(records[0], Record(four.batch(1, 7)));
    EXPECT_EQ(records[1], Record(four.batch(1, 9)));
    EXPECT_TRUE(std::holds_alternative<OwnVote>(records[2]));
    ASSERT_EQ(sent<types::Vote>(voted).size(), 1U);
    EXPECT_EQ(voted.sends[0].release, Release::AfterPersist);
    Effects again;
    core->step(from(1, four.sign(header)), at(2), again);
    EXPECT_EQ(sent<types::Vote>(again).size(), 1U);
    EXPECT_TRUE(again.persist.empty());
}

TEST_F(CoreTest, ALargeBatchIsAcknowledgedWhenItComesAndLoggedForTheVote) {
    // Its author may name it then; what counts as available is what the vote stands for.
    const auto core = make({}).value();
    types::Batch batch = four.batch(1, 1, 60'000);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(batch.transactions.try_push_back(Bytes(60'000)));
    Effects out;
    core->step(from(1, batch), at(0), out);
    EXPECT_TRUE(logged<types::Batch>(out).empty());
    ASSERT_EQ(sent<BatchStored>(out).size(), 1U);
    EXPECT_EQ(out.sends[0].release, Release::AtOnce);
    types::Header header = four.header(0, 1);
    ASSERT_TRUE(header.batches.try_push_back(reference(batch)));
    Effects voted;
    core->step(from(1, four.sign(header)), at(1), voted);
    EXPECT_EQ(sent<types::Vote>(voted).size(), 1U);
    EXPECT_EQ(logged<types::Batch>(voted), std::vector{batch});
    EXPECT_EQ(voted.sends[0].release, Release::AfterPersist);
}

TEST_F(CoreTest, ABatchThatIsNamedAgainMuchLaterIsInTheLog) {
    // Nobody votes for this member's headers, so they name its batch again while the floor rises,
    // or the one that was sealed anew in its place: the log has a record of it that it does not
    // forget before the header is below the floor.
    constexpr std::uint64_t kWindow = 16;
    Parameters parameters;
    parameters.gc_depth_rounds = 4;
    parameters.window_rounds = kWindow;
    parameters.reputation_rounds = kWindow / 2;
    Seat seat{kChain, four.committee, four.keys[3].clone(), types::WorkerIndex(0), {}};
    const auto core = Core::make(std::move(seat), parameters, {}).value();
    std::optional<Round> record;
    std::set<std::uint64_t> named;
    std::optional<Round> pruned_below;
    std::set<types::Height> signed_heights;
    std::int64_t ms = 0;
    const std::function<void(const Event&)> step = [&](const Event& event) {
        Effects out;
        core->step(event, at(ms += 10'000), out);
        for (const Persist& each : out.persist)
            if (std::holds_alternative<types::Batch>(record_of(each))) record = each.round;
        for (const auto& header : sent<types::SignedHeader>(out)) {
            if (header.header.batches->empty()) continue;
            named.insert(header.header.round.value());
            ASSERT_TRUE(record.has_value());
            EXPECT_GE(record->value() + kWindow, header.header.round.value());
            EXPECT_LE(pruned_below.value_or(Round(0)), *record);
        }
        if (out.prune_below) pruned_below = out.prune_below;
        for (const CommittedBlock& block : out.blocks) step(BlockExecuted{block.block.height});
        for (const BlockSignature& own : sent<BlockSignature>(out))
            if (signed_heights.insert(own.statement.height).second)
                for (const std::size_t other : {0U, 1U})
                    step(from(other, four.block_signature(own.statement, other)));
    };
    step(TransactionsSubmitted{{transaction(105)}});
    for (std::uint64_t round = 0; round < 40; ++round) {
        for (std::size_t author = 0; author < 3; ++author)
            step(from(author, four.certify(four.header(round, author), 3)));
        step(WakeUp{});
    }
    EXPECT_GT(named.size(), 20U);
    EXPECT_GT(pruned_below.value_or(Round(0)), Round(10)) << "the log forgets";
}

TEST_F(CoreTest, AsksForNoBatchOfABlockThatWasFollowed) {
    // The DAG commits a block whose batch is missing; then the block comes with its content from
    // elsewhere. Nobody is asked for the batch any more: all may have forgotten it.
    const auto core = make({}, 2, RecoveryMode::Observer).value();
    const types::Batch batch = four.batch(3, 1);
    types::Header anchor = four.header(3, 3);
    ASSERT_TRUE(anchor.batches.try_push_back(reference(batch)));
    std::vector<types::Block> blocks;
    std::size_t asked = 0;
    std::int64_t ms = 0;
    const auto step = [&](const Event& event) {
        Effects out;
        core->step(event, at(ms += 1'000), out);
        for (const auto& block : logged<types::Block>(out)) blocks.push_back(block);
        asked += sent<BatchRequest>(out).size();
    };
    for (std::uint64_t round = 0; round <= 4; ++round)
        for (std::size_t author = 0; author < 4; ++author) {
            types::Header header = four.header(round, author);
            if (round == 3 && author == 3) header = anchor;
            if (round == 4) {
                header.parent_authors.erase(member(2));
                header.parent_authors.insert(member(3));
                header.parents = {};
                for (const std::size_t parent : {0U, 1U})
                    ASSERT_TRUE(header.parents.try_push_back(
                        types::digest_of(kChain, four.header(3, parent))));
                ASSERT_TRUE(header.parents.try_push_back(types::digest_of(kChain, anchor)));
            }
            step(from(author == 2 ? 0 : author, four.certify(std::move(header), 3)));
        }
    ASSERT_FALSE(blocks.empty());
    ASSERT_EQ(*blocks.back().batches, std::vector{checked(kChain, batch).digest});
    step(WakeUp{});
    EXPECT_GT(asked, 0U);
    step(BlockFollowed{blocks.back()});
    asked = 0;
    for (std::size_t i = 0; i < 20; ++i) step(WakeUp{});
    EXPECT_EQ(asked, 0U);
}

TEST_F(CoreTest, AnObserverIsSilent) {
    // It takes no transactions and answers headers with nothing.
    const auto core = make({}, 0, RecoveryMode::Observer).value();
    Effects out;
    core->step(TransactionsSubmitted{{transaction(105)}}, at(0), out);
    core->step(from(1, four.sign(four.header(0, 1))), at(0), out);
    EXPECT_EQ(out.busy.size(), 1U);
    EXPECT_TRUE(out.sends.empty());
}

TEST_F(CoreTest, StopsSigningWhenItsLogLacksACertifiedOwnHeader) {
    // A quorum has voted for an own header that the log lacks: the log lost records, and nothing is
    // signed any more. With the header in the log, its certificate is welcome.
    const types::Header own = four.header(0, 0);
    for (const bool has_record : {false, true}) {
        std::vector<Record> records;
        if (has_record) records.emplace_back(OwnHeader{four.sign(own)});
        const auto core = make(std::move(records)).value();
        Effects out;
        core->step(from(1, four.certify(own, 3)), at(0), out);
        EXPECT_EQ(out.lost_records, !has_record);
        Effects after;
        core->step(from(1, four.sign(four.header(0, 1))), at(1), after);
        core->step(TransactionsSubmitted{{transaction(105)}}, at(2), after);
        EXPECT_EQ(sent<types::Vote>(after).size(), has_record ? 1U : 0U);
        EXPECT_EQ(after.busy.size(), has_record ? 0U : 1U);
        EXPECT_EQ(after.sends.empty(), !has_record);
        EXPECT_FALSE(after.lost_records) << "said once";
    }
}

TEST_F(CoreTest, RefusesALogThatContradictsItself) {
    // Records of another epoch, another member, or blocks with a gap: Corrupt, not a guess.
    const auto refused = [&](Record record) {
        const auto core = make({std::move(record)});
        return !core.has_value() && core.error().code == Errc::Corrupt;
    };
    EXPECT_TRUE(refused(OwnHeader{four.sign(four.header(0, 1))}));
    EXPECT_TRUE(refused(OwnVote{Round(1), member(9), {}}));
    types::Batch batch = four.batch(1, 1);
    batch.epoch = Epoch(8);
    EXPECT_TRUE(refused(batch));
    types::Block block;
    block.epoch = Epoch(3);
    block.height = types::Height(1);
    block.timestamp = UnixTime{5};
    EXPECT_TRUE(refused(block)) << "settles no vertex";
    block.parent.bytes[0] = 1;
    EXPECT_TRUE(refused(block)) << "has another parent";
}

TEST_F(CoreTest, NeedsASeat) {
    // A key that is not of the committee, and parameters out of range, are InvalidArgument.
    const TestCommittee others = TestCommittee::make(5);
    const auto stranger = std::ranges::find_if(
        others.keys, [&](const auto& key) { return !four.committee.index_of(key.public_key()); });
    ASSERT_NE(stranger, others.keys.end());
    Seat seat{kChain, four.committee, stranger->clone(), types::WorkerIndex(0), {}};
    EXPECT_EQ(Core::make(std::move(seat), {}, {}).error().code, Errc::InvalidArgument);
    Parameters parameters;
    parameters.window_rounds = 99;
    EXPECT_EQ(check(parameters).error().code, Errc::InvalidArgument);
    EXPECT_TRUE(check(Parameters{}).has_value());
}

TEST_F(CoreTest, SignsABlockInEachSpanAndTheLastOne) {
    // Of blocks whose times lie in one span the first is signed at once, and the newest when none
    // came after it: its certificate covers those between. One that comes two spans after the last
    // signature waits for nothing, whatever its time says; the next one does.
    const auto core = make({}, 3).value();
    std::vector<types::Height> committed;
    std::vector<types::Height> signed_heights;
    const auto step = [&](const Event& event, std::int64_t ms) {
        Effects out;
        core->step(event, at(ms), out);
        for (const CommittedBlock& block : out.blocks) committed.push_back(block.block.height);
        for (const BlockSignature& signature : sent<BlockSignature>(out))
            signed_heights.push_back(signature.statement.height);
    };
    const auto play_round = [&](std::uint64_t round, std::int64_t ms) {
        for (std::size_t author = 0; author < 3; ++author)
            step(from(author, four.certify(four.header(round, author), 3)), ms);
    };
    std::uint64_t round = 0;
    while (round < 6) play_round(round++, 1);
    ASSERT_GE(committed.size(), 3U);
    EXPECT_EQ(signed_heights, std::vector{committed.front()}) << "all headers say the same time";
    step(WakeUp{}, 50);
    EXPECT_EQ(signed_heights.size(), 1U);
    step(WakeUp{}, 51);
    EXPECT_EQ(signed_heights, (std::vector{committed.front(), committed.back()}));
    step(WakeUp{}, 149);
    EXPECT_EQ(signed_heights.size(), 2U) << "once";
    // The fourth member is not there, and leads rounds that bring none.
    const auto next_block = [&](std::int64_t ms) {
        const std::size_t before = committed.size();
        for (int i = 0; i < 8 && committed.size() == before; ++i) play_round(round++, ms);
        return committed.at(before);
    };
    next_block(150);
    EXPECT_EQ(signed_heights.size(), 2U);
    const types::Height late = next_block(151);
    ASSERT_EQ(signed_heights.size(), 3U);
    EXPECT_EQ(signed_heights.back(), late);
    next_block(152);
    EXPECT_EQ(signed_heights.size(), 3U);
}

TEST_F(CoreTest, SignsEverySpansFirstBlockAndFewMoreWhenBlocksTimeStandsStill) {
    // All headers say one time, as when clocks have fallen back: blocks' time goes on by 1 ms each.
    // However they come, each span's first block is signed, on which members agree by the blocks
    // alone; the newest is within 50 ms; and of all others none within 50 ms of the one before.
    const std::uint64_t seed = testing::test_seed(1);
    SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto core = make({}, 3).value();
    constexpr std::uint64_t kSpanMs = 50;
    std::map<types::Height, std::int64_t> signed_at;
    std::set<types::Height> span_firsts;
    std::uint64_t last_span = 0;
    types::Height newest;
    std::int64_t newest_ms = 0;
    const auto step = [&](const Event& event, std::int64_t ms) {
        Effects out;
        core->step(event, at(ms), out);
        for (const CommittedBlock& block : out.blocks) {
            const std::uint64_t span = block.block.timestamp.ms / kSpanMs;
            if (span != last_span) span_firsts.insert(block.block.height);
            last_span = span;
            newest = block.block.height;
            newest_ms = ms;
        }
        for (const BlockSignature& signature : sent<BlockSignature>(out))
            if (signature.reply == Reply::NotNeeded)
                signed_at.emplace(signature.statement.height, ms);
        if (ms >= newest_ms + 50 && newest.value() > 0)
            ASSERT_TRUE(signed_at.contains(newest)) << newest.value() << " at " << ms;
    };
    std::int64_t ms = 1;
    for (std::uint64_t round = 0; round < 160; ++round) {
        for (std::size_t author = 0; author < 3; ++author)
            step(from(author, four.certify(four.header(round, author), 3)), ms);
        const std::int64_t next = ms + static_cast<std::int64_t>(random() % (round < 80 ? 20 : 90));
        while (ms < next) step(WakeUp{}, ++ms);
    }
    ASSERT_GE(span_firsts.size(), 2U);
    for (const types::Height first : span_firsts) EXPECT_TRUE(signed_at.contains(first));
    std::optional<std::int64_t> before;
    for (const auto& [height, when] : signed_at) {
        if (before && !span_firsts.contains(height)) EXPECT_GE(when, *before + 50);
        before = when;
    }
}

TEST_F(CoreTest, HoldsBatchesUntilACertificateCoversTheirBlock) {
    // Who has not executed the block can get it from nobody before, however far the rounds have
    // come; not from a member that was restarted meanwhile either. Then the batch is forgotten.
    auto core = make({}, 3).value();
    const types::Batch batch = four.batch(0, 0);
    types::Header naming = four.header(0, 0);
    ASSERT_TRUE(naming.batches.try_push_back(reference(batch)));
    four.digests[{0, 0}] = types::digest_of(kChain, naming);
    std::vector<Record> log;
    std::optional<BlockSignature> last;
    const auto step = [&](const Event& event) {
        Effects out;
        core->step(event, at(1), out);
        std::ranges::move(records_of(out), std::back_inserter(log));
        for (const BlockSignature& signature : sent<BlockSignature>(out)) last = signature;
        return out;
    };
    const auto serves = [&] {
        BatchRequest request{four.committee.epoch(), {}};
        EXPECT_TRUE(request.batches.try_push_back(reference(batch).digest));
        return sent<types::Batch>(step(from(1, request))) == std::vector{batch};
    };
    step(from(0, batch));
    ASSERT_EQ(sent<types::Vote>(step(from(0, four.sign(naming)))).size(), 1U);
    bool is_ordered = false;
    const std::uint64_t rounds = 2 * Parameters{}.gc_depth_rounds;
    for (std::uint64_t round = 0; round < rounds; ++round)
        for (std::size_t author = 0; author < 3; ++author) {
            const bool names = round == 0 && author == 0;
            const Effects out =
                step(from(author, four.certify(names ? naming : four.header(round, author), 3)));
            for (const CommittedBlock& block : out.blocks) {
                is_ordered = is_ordered || !block.batches.empty();
                step(BlockExecuted{block.block.height});
            }
        }
    ASSERT_TRUE(is_ordered);
    EXPECT_TRUE(serves());
    auto restarted = make(log, 3).value();
    std::swap(core, restarted);
    EXPECT_TRUE(serves());
    std::swap(core, restarted);
    ASSERT_TRUE(last.has_value());
    for (const std::size_t other : {0U, 1U})
        step(from(other, four.block_signature(last->statement, other)));
    EXPECT_FALSE(serves());
}

TEST_F(CoreTest, UpholdsTheDagUntilTheLastBlockIsCertified) {
    // Others may still have to commit the epoch's last block: a member that has executed it goes on
    // to vote, and to propose what is empty, until a quorum has signed the block.
    const auto core = make({}, 3).value();
    std::vector<CommittedBlock> blocks;
    std::int64_t ms = 0;
    const auto step = [&](const Event& event) {
        Effects out;
        core->step(event, at(ms += 1'000), out);
        std::ranges::move(out.blocks, std::back_inserter(blocks));
        return out;
    };
    constexpr std::uint64_t kRounds = 3;
    for (std::uint64_t round = 0; round < kRounds; ++round)
        for (std::size_t author = 0; author < 3; ++author)
            step(from(author, four.certify(four.header(round, author), 3)));
    ASSERT_FALSE(blocks.empty());
    const types::Block& last = blocks.front().block;
    step(BlockExecuted{last.height});
    step(EpochEnded{last.height});
    EXPECT_FALSE(core->participates());
    EXPECT_EQ(sent<types::Vote>(step(from(0, four.sign(four.header(kRounds, 0))))).size(), 1U);
    const types::BlockStatement statement{
        last.epoch, last.height, last.parent, blocks.front().digest};
    for (const std::size_t peer : {1U, 2U}) step(from(peer, four.block_signature(statement, peer)));
    EXPECT_FALSE(core->upholds_dag());
    EXPECT_TRUE(sent<types::Vote>(step(from(1, four.sign(four.header(kRounds, 1))))).empty());
}

TEST_F(CoreTest, IgnoresWhatNobodyShouldSend) {
    // A batch of a third member that was not asked for, votes for others' headers: counted only.
    const auto core = make({}).value();
    Effects out;
    core->step(from(1, four.batch(2, 1)), at(0), out);
    core->step(from(1, four.vote(four.header(0, 2), 1)), at(0), out);
    EXPECT_EQ(core->refusals().of(member(1), Refusal::NotAskedFor), 1U);
    EXPECT_EQ(core->refusals().of(member(1), Refusal::WrongSender), 1U);
    EXPECT_TRUE(out.sends.empty());
    EXPECT_TRUE(out.persist.empty());
}

}  // namespace
}  // namespace draco::consensus::test
