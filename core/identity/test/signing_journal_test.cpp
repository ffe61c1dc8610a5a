// The journal: what is recorded stays, in order, and damage is refused.

#include "draco/identity/account_nonces.hpp"
#include "draco/simulon/disk.hpp"

#include "identity_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::identity {
namespace {

using types::Nonce;

class SigningJournalTest : public ::testing::Test {
protected:
    static TransactionKey account_key() {
        simulon::SeededRng rng(1);
        return {types::ChainId(1337), types::AccountSecretKey::generate(rng)};
    }

    SignedBytes entry(std::uint64_t nonce) const {
        return key_.sign(Nonce(nonce), {}, types::Stake{});
    }

    Result<SigningJournal> open() { return SigningJournal::open(disk_, "journal", owner_); }

    TransactionKey key_ = account_key();
    JournalOwner owner_{key_.chain(), {}, key_.sender()};
    simulon::SimulatedDisk disk_{1};
};

// Entries come back after a crash; executed ones go; nonces only grow; one process has it.
TEST_F(SigningJournalTest, KeepsWhatWasRecorded) {
    {
        auto journal = open().value();
        const SignedBytes both[] = {entry(3), entry(4)};
        ASSERT_TRUE(journal.record(both));
        EXPECT_EQ(open().error().code, Errc::Unavailable);
        EXPECT_EQ(journal.record({both, 1}).error().code, Errc::AlreadyExists);
    }
    disk_.crash();
    disk_.restart();
    auto journal = open().value();
    EXPECT_EQ(journal.signed_last(), Nonce(4));
    EXPECT_EQ(journal.entries(), (std::vector{entry(3), entry(4)}));
    journal.forget(Nonce(4));
    EXPECT_TRUE(journal.entries().empty());
    EXPECT_EQ(journal.signed_last(), Nonce(4));
    for (std::uint64_t nonce = 5; nonce < 5 + kJournalEntriesMax; ++nonce) {
        const SignedBytes next = entry(nonce);
        ASSERT_TRUE(journal.record({&next, 1}));
    }
    const SignedBytes over = entry(500);
    EXPECT_EQ(journal.record({&over, 1}).error().code, Errc::Exhausted);
}

// Every truncation and every flipped bit is Corrupt, and the error says what to do.
TEST_F(SigningJournalTest, DamageIsRefused) {
    Bytes file = encode_journal(owner_, {Nonce(9), {entry(7), entry(9)}});
    ASSERT_TRUE(decode_journal(owner_, file));
    for (std::size_t size = 0; size < file.size(); ++size)
        ASSERT_EQ(decode_journal(owner_, ByteView(file).first(size)).error().code, Errc::Corrupt);
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
        const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
        file[bit / 8] ^= mask;
        ASSERT_EQ(decode_journal(owner_, file).error().code, Errc::Corrupt) << bit;
        file[bit / 8] ^= mask;
    }
    EXPECT_EQ(decode_journal(owner_, encode_journal(owner_, {Nonce(9), {entry(9), entry(7)}}))
                  .error()
                  .code,
              Errc::Corrupt);
    {
        auto journal = open().value();
        const SignedBytes first = entry(1);
        ASSERT_TRUE(journal.record({&first, 1}));
    }
    ASSERT_TRUE(disk_.flip_bit("journal", 300));
    const auto damaged = open();
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, Errc::Corrupt);
    EXPECT_TRUE(damaged.error().context.contains("Restore")) << damaged.error().context;
}

// A journal of another chain or key is refused, and a missing one if it must be there.
TEST_F(SigningJournalTest, OtherOwnersAreRefused) {
    EXPECT_EQ(SigningJournal::open(disk_, "journal", owner_, MissingJournal::Refuse).error().code,
              Errc::NotFound);
    ASSERT_TRUE(open());
    ASSERT_TRUE(SigningJournal::open(disk_, "journal", owner_, MissingJournal::Refuse));
    JournalOwner other = owner_;
    other.genesis.bytes[0] = 1;
    EXPECT_EQ(SigningJournal::open(disk_, "journal", other).error().code, Errc::InvalidArgument);
    other = owner_;
    other.chain = types::ChainId(1);
    EXPECT_EQ(SigningJournal::open(disk_, "journal", other).error().code, Errc::InvalidArgument);
}

// A command signs above the chain's nonce and its own, and lists what is not executed.
TEST_F(SigningJournalTest, AccountNoncesGrow) {
    {
        auto nonces = AccountNonces::open(disk_, "account", key_, {}).value();
        EXPECT_EQ(nonces.sign(Nonce(4), {}, types::Stake{}).value().nonce, Nonce(5));
        EXPECT_EQ(nonces.sign(Nonce(4), {}, types::Stake{}).value().nonce, Nonce(6));
        EXPECT_EQ(nonces.sign(Nonce(4), {}, types::OptOut{}).error().code, Errc::InvalidArgument);
    }
    auto nonces = AccountNonces::open(disk_, "account", key_, {}).value();
    ASSERT_EQ(nonces.not_executed(Nonce(5)).size(), 1U);
    EXPECT_EQ(nonces.not_executed(Nonce(5))[0], entry(6));
    EXPECT_EQ(nonces.sign(Nonce(2), {}, types::Stake{}).value().nonce, Nonce(7));
    EXPECT_EQ(nonces.sign(Nonce(20), {}, types::Stake{}).value().nonce, Nonce(21));
    EXPECT_TRUE(nonces.not_executed(Nonce(21)).empty());
}

}  // namespace
}  // namespace draco::identity
