// What was synced is there after a crash at any disk change, also while the journal is written
// anew; damage and foreign journals are refused with what to do.

#include "draco/simulon/disk.hpp"
#include "draco/testing/seed.hpp"

#include "pod_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::pod {
namespace {

using namespace pod::testing;  // NOLINT(google-build-using-namespace): the vocabulary of the tests

const JournalOptions& options() {
    static const JournalOptions kOptions{.directory = "delivery", .segment_bytes = 4'096};
    return kOptions;
}

JournalOwner owner() {
    return {kChain, {}, this_node()};
}

// Not signed: a journal does not care.
JournalRecord record(std::uint64_t payer, std::uint64_t cumulative, std::uint64_t instance = 1) {
    types::SignedDeliveryAck made;
    made.ack = {number_key<types::Address>(payer),
                this_node(),
                {},
                types::LaneInstance(instance),
                cumulative};
    return made;
}

JournalRecord share(std::uint64_t peer, std::uint64_t bytes) {
    return types::PeerShare{number_key<types::NodeKey>(peer), bytes};
}

// Writes groups of records, each synced, and rewrites when the journal wants to. `synced` and
// `written` are what must and what may be there after a crash.
struct Life {
    JournalContent synced;
    JournalContent written;
    int rewrites = 0;

    Result<> run(Disk& disk, std::uint64_t seed) {
        simulon::SeededRng rng(seed);
        DRACO_TRY(opened, Journal::open(disk, options(), owner()));
        synced = written = opened.content;
        for (std::uint64_t group = 0; group < 25; ++group) {
            for (std::uint64_t i = rng.below(6); i > 0; --i) {
                const JournalRecord one = rng.chance(0.3) ? share(rng.below(3), rng.below(4))
                                                          : record(rng.below(4), ++count);
                written.apply(one);
                DRACO_TRY_VOID(opened.journal->append(one));
            }
            DRACO_TRY_VOID(opened.journal->sync());
            synced = written;
            const std::size_t live = synced.acks.size() + synced.peers.size();
            if (!opened.journal->wants_rewrite(live)) continue;
            ++rewrites;
            std::vector<JournalRecord> records;
            for (const auto& [key, word] : synced.acks) records.emplace_back(word);
            for (const auto& [peer, bytes] : synced.peers)
                records.emplace_back(types::PeerShare{peer, bytes});
            DRACO_TRY_VOID(opened.journal->rewrite(records));
        }
        return {};
    }

    std::uint64_t count = 0;
};

std::uint64_t highest(const JournalContent& content, std::uint64_t payer) {
    const auto at = content.acks.find(lane_of(payer));
    return at == content.acks.end() ? 0 : at->second.ack.cumulative;
}

// Each lane is between what was synced and what was written.
void expect_between(const Life& life, const JournalContent& found) {
    for (std::uint64_t payer = 0; payer < 4; ++payer) {
        EXPECT_GE(highest(found, payer), highest(life.synced, payer));
        EXPECT_LE(highest(found, payer), highest(life.written, payer));
    }
}

TEST(PodJournal, CrashesAtEveryChange) {
    const std::uint64_t seed = draco::testing::test_seed(5);
    std::uint64_t changes = 0;
    {
        simulon::SimulatedDisk disk(seed);
        Life life;
        ASSERT_TRUE(life.run(disk, seed));
        EXPECT_GT(life.rewrites, 0) << "the test is to see some";
        changes = disk.change_count();
        EXPECT_EQ(Journal::open(disk, options(), owner())->content, life.synced);
        EXPECT_LE(disk.list("delivery")->size(), 5U);
    }
    for (std::uint64_t n = 1; n <= changes; ++n) {
        simulon::SimulatedDisk disk(seed + n);
        disk.crash_at_change(n);
        Life life;
        const bool finished = life.run(disk, seed).has_value();
        EXPECT_TRUE(finished || disk.crashed());
        disk.crash();
        disk.restart();
        Life next;
        next.count = life.count;
        {
            const auto opened = Journal::open(disk, options(), owner());
            ASSERT_TRUE(opened) << "crash at change " << n << ": " << to_string(opened.error());
            expect_between(life, opened->content);
        }
        ASSERT_TRUE(next.run(disk, seed + 1)) << "crash at change " << n;
    }
}

// Of a lane the highest word of the newest instance counts, of a peer the last total.
TEST(PodJournal, Replaces) {
    simulon::SimulatedDisk disk(1);
    {
        auto opened = Journal::open(disk, options(), owner()).value();
        for (const JournalRecord& one : {record(1, 5),
                                         record(1, 9),
                                         record(1, 7),
                                         record(2, 50),
                                         record(2, 3, 2),
                                         record(2, 60, 1),
                                         share(1, 10),
                                         share(2, 10),
                                         share(1, 4),
                                         share(2, 0)})
            ASSERT_TRUE(opened.journal->append(one));
        ASSERT_TRUE(opened.journal->sync());
    }
    const auto content = Journal::open(disk, options(), owner()).value().content;
    EXPECT_EQ(content.acks.size(), 2U);
    EXPECT_EQ(JournalRecord(content.acks.at(lane_of(1))), record(1, 9));
    EXPECT_EQ(JournalRecord(content.acks.at(lane_of(2))), record(2, 3, 2));
    EXPECT_EQ(content.peers,
              (std::map<types::NodeKey, std::uint64_t>{{number_key<types::NodeKey>(1), 4}}));
}

// A flipped bit in what was sealed, and a journal of another node or chain, are refused.
TEST(PodJournal, DamageIsReported) {
    simulon::SimulatedDisk disk(1);
    {
        auto opened = Journal::open(disk, options(), owner()).value();
        for (std::uint64_t i = 0; i < 5; ++i) {
            ASSERT_TRUE(opened.journal->append(record(i, i)));
            ASSERT_TRUE(opened.journal->sync());
        }
    }
    const std::string file = "delivery/" + disk.list("delivery").value().front().name;
    for (const std::uint64_t byte : {5U, 300U, 700U, 900U}) {
        ASSERT_TRUE(disk.flip_bit(file, 8 * byte));
        const auto opened = Journal::open(disk, options(), owner());
        ASSERT_FALSE(opened) << byte;
        EXPECT_EQ(opened.error().code, Errc::Corrupt);
        EXPECT_NE(opened.error().context.find(file), std::string::npos) << opened.error().context;
        EXPECT_NE(opened.error().context.find("move it away"), std::string::npos);
        ASSERT_TRUE(disk.flip_bit(file, 8 * byte));
    }
    JournalOwner other = owner();
    other.node = number_key<types::NodeKey>(2);
    EXPECT_EQ(Journal::open(disk, options(), other).error().code, Errc::Corrupt);
    other = owner();
    other.chain = types::ChainId(1);
    EXPECT_EQ(Journal::open(disk, options(), other).error().code, Errc::Corrupt);
    EXPECT_TRUE(Journal::open(disk, options(), owner()));
}

// The encoding that docs/formats/delivery-journal.md shows, and what is none.
TEST(PodJournal, Records) {
    Bytes bytes = encode_record(record(1, 5));
    ASSERT_EQ(bytes.size(), 1U + types::kDeliveryAckBytes + 64);
    EXPECT_EQ(bytes[0], 0);
    EXPECT_EQ(decode_record(bytes), record(1, 5));
    bytes.push_back(0);
    EXPECT_EQ(decode_record(bytes).error().code, Errc::Corrupt);
    bytes = encode_record(share(1, 5));
    ASSERT_EQ(bytes.size(), 1U + 32 + 8);
    EXPECT_EQ(bytes[0], 1);
    bytes[0] = 2;
    EXPECT_EQ(decode_record(bytes).error().code, Errc::Corrupt);
    EXPECT_EQ(decode_record({}).error().code, Errc::Corrupt);
}

}  // namespace
}  // namespace draco::pod
