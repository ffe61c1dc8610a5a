// The signer's core: scripted schedules for each promise.

#include "draco/identity/signer_core.hpp"

#include "identity_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace draco::identity {
namespace {

using namespace std::chrono_literals;
using types::Nonce;

class SignerCoreTest : public ::testing::Test {
protected:
    void step(SignerEvent event) {
        effects_.clear();
        core_.step(std::move(event), now_, effects_);
    }

    template <class Effect>
    std::vector<Effect> all() const {
        std::vector<Effect> found;
        for (const SignerEffect& effect : effects_)
            if (const auto* is = std::get_if<Effect>(&effect)) found.push_back(*is);
        return found;
    }

    void request(RequestId id) {
        step(ExecuteRequested{id, types::EndEpoch{types::Epoch(id)}, {}});
    }

    // One transaction that a member has taken.
    SignedBytes taken() {
        step(ChainSeen{Nonce(0)});
        request(1);
        const SignedBytes entry = all<Persist>().at(0).entries.at(0);
        step(Persisted{});
        step(Submitted{Nonce(1), 1, {}});
        return entry;
    }

    static TransactionKey node_key() {
        simulon::SeededRng rng(1);
        return {types::ChainId(1337), types::NodeSecretKey::generate(rng)};
    }

    TransactionKey key_ = node_key();
    SignerOptions options_{.queue_max = 3, .nonces_ahead_max = 2};
    SignerCore core_{key_, {}, options_};
    SignerEffects effects_;
    Instant now_{1s};
};

// Nothing is signed before the chain was seen, and nothing sent before it is durable.
TEST_F(SignerCoreTest, PersistsBeforeItSends) {
    request(1);
    EXPECT_TRUE(effects_.empty());
    step(ChainSeen{Nonce(7)});
    ASSERT_EQ(all<Persist>().size(), 1U);
    EXPECT_EQ(all<Persist>()[0].entries.at(0).nonce, Nonce(8));
    EXPECT_TRUE(all<Submit>().empty());
    step(TimePassed{});
    EXPECT_TRUE(effects_.empty());
    step(Persisted{});
    ASSERT_EQ(all<Submit>().size(), 1U);
}

// What is signed and what waits have bounds.
TEST_F(SignerCoreTest, BoundsAreKept) {
    step(ChainSeen{Nonce(0)});
    for (RequestId id = 1; id <= 5; ++id) {
        request(id);
        if (!all<Persist>().empty()) step(Persisted{});
    }
    EXPECT_EQ(core_.counts().pending, 2U);
    EXPECT_EQ(core_.counts().waiting, 3U);
    request(6);
    ASSERT_EQ(all<Finish>().size(), 1U);
    EXPECT_EQ(all<Finish>()[0].result.error().code, Errc::Exhausted);
    step(ExecuteRequested{7, types::TransferFlk{}, {}});
    EXPECT_EQ(all<Finish>().at(0).result.error().code, Errc::InvalidArgument);
}

// Busy: again after a growing pause. Taken and not executed: the same bytes after resend_after.
TEST_F(SignerCoreTest, SendsTheSameBytesAgain) {
    step(ChainSeen{Nonce(0)});
    request(1);
    step(Persisted{});
    const Bytes bytes = all<Submit>().at(0).bytes;
    Duration pause = options_.backoff_first;
    for (std::uint64_t attempt = 1; attempt <= 10; ++attempt) {
        step(Submitted{Nonce(1), attempt, fail(Errc::Exhausted, "busy")});
        EXPECT_TRUE(all<Submit>().empty());
        EXPECT_EQ(core_.wakes_at(), now_ + pause);
        now_ = now_ + pause;
        step(TimePassed{});
        ASSERT_EQ(all<Submit>().size(), 1U);
        EXPECT_EQ(all<Submit>()[0].bytes, bytes);
        pause = std::min(2 * pause, options_.backoff_max);
    }
    step(Submitted{Nonce(1), 11, {}});
    EXPECT_EQ(core_.wakes_at(), now_ + options_.resend_after);
    now_ = now_ + options_.resend_after;
    step(TimePassed{});
    EXPECT_EQ(all<Submit>().at(0).bytes, bytes);
    EXPECT_EQ(core_.counts().sent_again, 11U);
    now_ = now_ + options_.submit_timeout;  // no answer at all
    step(TimePassed{});
    EXPECT_EQ(core_.wakes_at(), now_ + options_.backoff_first);
}

// The receipt in a block, or found in the state if the block was missed, is the outcome.
TEST_F(SignerCoreTest, ReceiptsAreOutcomes) {
    const SignedBytes entry = taken();
    const types::Receipt receipt{.height = types::Height(9)};
    OutcomesSeen seen;
    seen.outcomes.emplace_back(entry.hash, receipt);
    seen.outcomes.emplace_back(entry.hash, types::Refusal::WrongNonce);  // a duplicate behind it
    step(seen);
    ASSERT_EQ(all<Finish>().size(), 1U);
    EXPECT_EQ(all<Finish>()[0].result, receipt);
    EXPECT_EQ(core_.counts().pending, 0U);

    request(2);
    step(Persisted{});
    step(ChainSeen{Nonce(2)});
    ASSERT_EQ(all<ReadReceipt>().size(), 1U);
    step(ReceiptRead{Nonce(2), std::optional(receipt)});
    EXPECT_EQ(all<Finish>().at(0).result, receipt);
}

// A nonce that somebody else used is told from an executed one, and the next is above it.
TEST_F(SignerCoreTest, UsedNoncesAreErrors) {
    taken();
    step(ChainSeen{Nonce(1)});
    ASSERT_EQ(all<ReadReceipt>().size(), 1U);
    step(ReceiptRead{Nonce(1), std::optional<types::Receipt>()});
    EXPECT_EQ(all<ForeignTransaction>().size(), 1U);
    EXPECT_EQ(all<Finish>().at(0).result.error().code, Errc::AlreadyExists);
    request(2);
    EXPECT_EQ(all<Persist>().at(0).entries.at(0).nonce, Nonce(2));
}

// A refusal in a block surfaces once; the transaction stays and is sent again.
TEST_F(SignerCoreTest, RefusalsSurface) {
    const SignedBytes entry = taken();
    OutcomesSeen seen;
    seen.outcomes.emplace_back(entry.hash, types::Refusal::QuotaUsedUp);
    step(seen);
    EXPECT_EQ(all<Finish>().at(0).result.error().code, Errc::Exhausted);
    EXPECT_EQ(core_.counts().pending, 1U);
    now_ = now_ + options_.backoff_first;
    step(TimePassed{});
    EXPECT_EQ(all<Submit>().at(0).bytes, entry.bytes);
    step(seen);
    EXPECT_TRUE(all<Finish>().empty());
}

// What the forwarder rejects is an error only if the chain has not used the nonce meanwhile.
TEST_F(SignerCoreTest, RejectionsAreCheckedAgainstTheChain) {
    step(ChainSeen{Nonce(0)});
    request(1);
    request(2);
    step(Persisted{});
    step(Persisted{});
    step(Submitted{Nonce(1), 1, fail(Errc::InvalidArgument, "nonce used")});
    ASSERT_EQ(all<ReadChain>().size(), 1U);
    EXPECT_TRUE(all<Finish>().empty());
    step(Submitted{Nonce(2), 1, fail(Errc::InvalidArgument, "fee")});
    step(ChainSeen{Nonce(1)});
    EXPECT_EQ(all<ReadReceipt>().size(), 1U);
    ASSERT_EQ(all<Finish>().size(), 1U);
    EXPECT_EQ(all<Finish>()[0].request, 2U);
    EXPECT_EQ(all<Finish>()[0].result.error().code, Errc::InvalidArgument);
}

// A node that the chain does not know spends no nonce.
TEST_F(SignerCoreTest, UnregisteredNodesSignNothing) {
    request(1);
    step(ChainSeen{std::nullopt});
    EXPECT_EQ(all<Finish>().at(0).result.error().code, Errc::Unavailable);
    request(2);
    EXPECT_EQ(all<Finish>().at(0).result.error().code, Errc::Unavailable);
    step(ChainSeen{Nonce(0)});
    request(3);
    EXPECT_EQ(all<Persist>().at(0).entries.at(0).nonce, Nonce(1));
}

// When the journal cannot be written, all requests get the error and nothing is signed or sent.
TEST_F(SignerCoreTest, AFailedJournalStopsIt) {
    step(ChainSeen{Nonce(0)});
    request(1);
    request(2);
    step(Persisted{fail(Errc::Io, "broken")});
    EXPECT_EQ(all<Finish>().size(), 2U);
    EXPECT_TRUE(core_.failure());
    request(3);
    EXPECT_EQ(all<Finish>().at(0).result.error().code, Errc::Io);
    now_ = now_ + 1h;
    step(TimePassed{});
    EXPECT_TRUE(effects_.empty());
}

// A journal of an earlier life is sent again byte for byte, and its nonces are never given again.
TEST_F(SignerCoreTest, TheNextLifeGoesOn) {
    const SignedBytes entry = taken();
    SignerCore next(key_, {Nonce(1), {entry}}, options_);
    effects_.clear();
    next.step(ExecuteRequested{1, types::OptOut{}, {}}, now_, effects_);
    next.step(ChainSeen{Nonce(0)}, now_, effects_);
    EXPECT_EQ(all<Submit>().at(0).bytes, entry.bytes);
    EXPECT_EQ(all<Persist>().at(0).entries.at(0).nonce, Nonce(2));
}

}  // namespace
}  // namespace draco::identity
