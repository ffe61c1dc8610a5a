#include "../src/intake.hpp"

#include "draco/consensus/message.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

class IntakeTest : public ::testing::Test {
protected:
    IntakeTest() {
        intake.set_poke([this] {
            ++pokes;
            return true;
        });
        intake.set_routes(Epoch(2), {});
    }

    static DriverOptions options() {
        DriverOptions made;
        made.early_bytes_per_peer_max = 1'000 + kEarlyOverheadBytes;
        made.early_bytes_max = 2'500 + 3 * kEarlyOverheadBytes;
        return made;
    }

    const types::NodeKey& key(std::size_t index) const { return four.committee.key(member(index)); }

    void receive(std::size_t from, std::size_t bytes) {
        intake.on_message(key(from), encode_message(four.batch(from, 1, bytes)));
    }

    std::uint64_t refused() const { return intake.status().messages_refused; }

    TestCommittee four = TestCommittee::make(4);  // of epoch 3
    int pokes = 0;
    Intake intake{options(), 1'000};
};

TEST_F(IntakeTest, HoldsEarlyMessagesWithinBounds) {
    // Of one peer, of all, of the next epoch alone; who goes away frees its share.
    receive(0, 600);
    receive(0, 600);
    EXPECT_EQ(refused(), 1U) << "beyond what one peer may have";
    receive(1, 800);
    receive(2, 800);
    EXPECT_EQ(refused(), 1U);
    receive(3, 800);
    EXPECT_EQ(refused(), 2U) << "beyond what all may have";
    intake.on_link_down(key(1));
    receive(3, 800);
    EXPECT_EQ(refused(), 2U);
    const auto early = intake.take_early();
    ASSERT_EQ(early.size(), 3U);
    EXPECT_EQ(early[0].from, key(0));
    EXPECT_EQ(early[2].from, key(3));
    receive(1, 800);
    EXPECT_EQ(intake.take_early().size(), 1U);
    intake.set_routes(Epoch(1), {});
    receive(1, 800);
    EXPECT_EQ(refused(), 3U) << "two epochs ahead";
    intake.on_message(key(1), Bytes{250});
    EXPECT_EQ(refused(), 4U) << "no message";
}

TEST_F(IntakeTest, SmallEarlyMessagesCountForWhatTheyTake) {
    // A flood of tiny ones is held within the bound, too.
    const Bytes tiny = encode_message(BatchRequest{Epoch(3), {}});
    for (int i = 0; i < 1'000; ++i) intake.on_message(key(1), tiny);
    EXPECT_LE(intake.take_early().size() * sizeof(EarlyMessage), 1'000U);
}

TEST_F(IntakeTest, TakesTransactionsWithinBounds) {
    // What is on its way, taken and in the core counts until it is executed; one poke wakes for
    // all.
    EXPECT_EQ(intake.submit(transaction(110)).error().code, Errc::Unavailable);
    intake.publish({}, Intakes::Yes, 0);
    EXPECT_EQ(intake.submit(transaction(types::kTransactionBytesMin - 1)).error().code,
              Errc::InvalidArgument);
    EXPECT_TRUE(intake.submit(transaction(600)));
    EXPECT_TRUE(intake.submit(transaction(400)));
    EXPECT_EQ(pokes, 1);
    EXPECT_EQ(intake.submit(transaction(100)).error().code, Errc::Exhausted);
    EXPECT_EQ(intake.take_news().submitted.size(), 2U);
    EXPECT_EQ(intake.submit(transaction(100)).error().code, Errc::Exhausted) << "still reserved";
    intake.publish({}, Intakes::Yes, 700);
    EXPECT_TRUE(intake.submit(transaction(300)));
    EXPECT_EQ(pokes, 2);
    EXPECT_EQ(intake.submit(transaction(100)).error().code, Errc::Exhausted);
    intake.publish({}, Intakes::Yes, 0);
    EXPECT_EQ(intake.submit(transaction(701)).error().code, Errc::Exhausted) << "not taken yet";
    EXPECT_TRUE(intake.submit(transaction(700)));
    intake.publish({}, Intakes::ClockAhead, 0);
    const auto waits = intake.submit(transaction(100));
    ASSERT_FALSE(waits.has_value());
    EXPECT_EQ(waits.error().code, Errc::Unavailable);
    EXPECT_NE(waits.error().context.find("clock"), std::string::npos);
    intake.close("stopped", true);
    EXPECT_EQ(intake.submit(transaction(100)).error().code, Errc::Unavailable);
    EXPECT_TRUE(intake.status().fork);
    intake.publish({}, Intakes::Yes, 0);
    EXPECT_EQ(intake.submit(transaction(100)).error().code, Errc::Unavailable) << "for good";
}

}  // namespace
}  // namespace draco::consensus::test
