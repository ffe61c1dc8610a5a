#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

class VerifyTest : public ::testing::Test {
protected:
    Result<CheckedMessage, Refusal> judge(Message message, std::size_t from) const {
        return verify(std::move(message), member(from), four.committee, kChain);
    }

    void expect_refused(Message message, std::size_t from, Refusal reason) const {
        const auto verdict = judge(std::move(message), from);
        ASSERT_FALSE(verdict.has_value());
        EXPECT_EQ(verdict.error(), reason) << to_string(verdict.error());
    }

    TestCommittee four = TestCommittee::make(4);
};

TEST_F(VerifyTest, TakesWhatIsWellFormed) {
    // One good message of each kind passes, and survives its encoding.
    const types::Header header = four.header(5, 2);
    const types::BlockStatement statement{Epoch(3), types::Height(9), {}, {}};
    types::BatchDigest digest;
    const std::vector<Message> good = {
        four.batch(2, 1),
        four.sign(header),
        [&] {
            types::Vote vote = four.vote(header, 2);
            return vote;
        }(),
        four.certify(header, 3),
        BatchStored{Epoch(3), digest},
        BatchRequest{
            Epoch(3),
            bcs::Bounded<std::vector<types::BatchDigest>, kRequestBatchesMax>::make({digest})
                .value()},
        CertificateRequest{Epoch(3), Round(4), {}},
        CertificateResponse{Epoch(3), Round(4), types::Height(2), {}},
        four.block_signature(statement, 2)};
    ASSERT_EQ(good.size(), std::variant_size_v<Message>);
    for (const Message& message : good) {
        const auto decoded = decode_message(bcs::encode(message));
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(*decoded, message);
        const Bytes direct =
            std::visit([](const auto& body) { return encode_message(body); }, message);
        EXPECT_EQ(direct, bcs::encode(message));
        EXPECT_TRUE(judge(*decoded, 2).has_value()) << message.index();
    }
}

TEST_F(VerifyTest, RefusesHeadersThatContradictThemselves) {
    // Another sender, epoch, key, parent set, time or payload: each for its reason.
    const types::Header good = four.header(5, 2);
    expect_refused(four.sign(good), 1, Refusal::WrongSender);
    types::Header header = good;
    header.epoch = Epoch(4);
    expect_refused(four.sign(header), 2, Refusal::WrongEpoch);
    // Its signature is not looked at: by its author's link, a header is what it says.
    types::SignedHeader unsigned_header = four.sign(good);
    unsigned_header.header.created.ms += 1;
    EXPECT_TRUE(judge(unsigned_header, 2).has_value());
    expect_refused(unsigned_header, 1, Refusal::WrongSender);
    header = good;
    header.parent_authors.insert(member(3));
    expect_refused(four.sign(header), 2, Refusal::BadShape);
    header = good;
    header.parent_authors.insert(member(100));
    expect_refused(four.sign(header), 2, Refusal::UnknownMember);
    header = four.header(0, 2);
    header.round = Round(1);
    expect_refused(four.sign(header), 2, Refusal::BadShape);
    header = good;
    header.round = Round(0);
    expect_refused(four.sign(header), 2, Refusal::BadShape);
    header = good;
    header.parent_authors = {};
    header.parents = {};
    header.parent_authors.insert(member(0));
    ASSERT_TRUE(header.parents.try_push_back(types::HeaderDigest{}));
    expect_refused(four.sign(header), 2, Refusal::NoQuorum);
    header = good;
    header.created.ms = ~std::uint64_t{0};
    expect_refused(four.sign(header), 2, Refusal::BadShape);
    header = good;
    for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(header.batches.try_push_back(types::BatchReference{{}, {}, 3U << 20U}));
    expect_refused(four.sign(header), 2, Refusal::BadShape);
}

TEST_F(VerifyTest, RefusesCertificatesWithoutAQuorumOfTrueVotes) {
    // n - f - 1 votes, a forged vote, a vote twice or a stranger's do not certify.
    const types::Header header = four.header(5, 2);
    expect_refused(four.certify(header, 2), 0, Refusal::NoQuorum);
    types::Certificate certificate = four.certify(header, 3);
    certificate.header.created.ms += 1;
    expect_refused(certificate, 0, Refusal::BadSignature);
    certificate = four.certify(header, 3);
    certificate.signers.insert(member(3));
    expect_refused(certificate, 0, Refusal::BadShape);
    certificate.signers.insert(member(77));
    expect_refused(certificate, 0, Refusal::UnknownMember);
    CertificateResponse response{Epoch(3), {}, {}, {}};
    ASSERT_TRUE(response.certificates.try_push_back(four.certify(header, 3)));
    EXPECT_TRUE(judge(response, 0).has_value());
    ASSERT_TRUE(response.certificates.try_push_back(four.certify(header, 1)));
    expect_refused(response, 0, Refusal::NoQuorum);
}

TEST_F(VerifyTest, RefusesTheRest) {
    // Votes and block signatures of somebody else, empty batches and requests, other epochs.
    const types::Header header = four.header(5, 2);
    expect_refused(four.vote(header, 1), 0, Refusal::WrongSender);
    types::Vote vote = four.vote(header, 1);
    vote.header = {};
    expect_refused(vote, 1, Refusal::BadSignature);
    vote = four.vote(header, 1);
    vote.author = member(9);
    expect_refused(vote, 1, Refusal::UnknownMember);
    types::Batch batch = four.batch(1, 1);
    batch.transactions = {};
    expect_refused(batch, 1, Refusal::BadShape);
    batch = four.batch(1, 1);
    ASSERT_TRUE(batch.transactions.try_push_back(*transaction(types::kTransactionBytesMin)));
    EXPECT_TRUE(verify(batch, member(1), four.committee, kChain).has_value());
    ASSERT_TRUE(batch.transactions.try_push_back(*transaction(types::kTransactionBytesMin - 1)));
    expect_refused(batch, 1, Refusal::BadShape);
    batch = four.batch(1, 1);
    batch.author = member(4);
    expect_refused(batch, 1, Refusal::UnknownMember);
    expect_refused(BatchRequest{Epoch(3), {}}, 1, Refusal::BadShape);
    expect_refused(CertificateRequest{Epoch(2), {}, {}}, 1, Refusal::WrongEpoch);
    const types::BlockStatement statement{Epoch(3), types::Height(9), {}, {}};
    expect_refused(four.block_signature(statement, 2), 1, Refusal::BadSignature);
    expect_refused(four.batch(1, 1), 4, Refusal::UnknownMember);
}

TEST_F(VerifyTest, EveryFlippedBitOfACertificateIsRefused) {
    // No bit of an encoded certificate can change without its decoder or a signature noticing.
    const Bytes good = encode_message(four.certify(four.header(1, 2), 3));
    for (std::size_t bit = 0; bit < 8 * good.size(); bit += 1 + bit % 7) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        auto message = decode_message(bad);
        if (!message || !std::holds_alternative<types::Certificate>(*message)) continue;
        EXPECT_FALSE(judge(*std::move(message), 0).has_value()) << "bit " << bit;
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(decode_message(ByteView(good).first(size)).has_value());
}

}  // namespace
}  // namespace draco::consensus::test
