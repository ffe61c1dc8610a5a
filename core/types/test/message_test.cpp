#include "draco/crypto/system_rng.hpp"
#include "draco/types/block.hpp"
#include "draco/types/transaction.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace draco::types {
namespace {

constexpr ChainId kChain(1337);

Transaction transfer(const Address& from, std::uint64_t nonce) {
    return {from, Nonce(nonce), FlkAmount::whole(1), TransferFlk{Address{}, FlkAmount::whole(5)}};
}

// As many acknowledgements and peers as fit, with everything as large as it can be.
SettleLanes full_settlement() {
    SettleLanes made;
    SignedDeliveryAck ack;
    ack.ack.cumulative = ~std::uint64_t{0};
    while (made.acks.try_push_back(ack)) ack.ack.lane = LaneIndex(ack.ack.lane.value() + 1);
    while (made.peers.try_push_back(PeerShare{{}, ~std::uint64_t{0}})) continue;
    return made;
}

TEST(Transaction, IsGoodForOneChainAndOneContent) {
    // The owner's signature verifies; another chain, another nonce or another signer is
    // Unauthenticated.
    crypto::SystemRng rng;
    const auto secret = AccountSecretKey::generate(rng);
    const Address owner = crypto::ethereum_address(secret.public_key());
    const SignedTransaction made = sign(kChain, transfer(owner, 1), secret);
    EXPECT_TRUE(verify(kChain, made).has_value());
    EXPECT_EQ(verify(ChainId(1), made).error().code, Errc::Unauthenticated);
    SignedTransaction changed = made;
    changed.transaction.nonce = Nonce(2);
    EXPECT_EQ(verify(kChain, changed).error().code, Errc::Unauthenticated);
    const SignedTransaction stolen = sign(kChain, transfer(Address{}, 1), secret);
    EXPECT_EQ(verify(kChain, stolen).error().code, Errc::Unauthenticated);
}

TEST(Transaction, NodesAndAccountsDoNotMix) {
    // A node's signature proves a node's transaction only.
    crypto::SystemRng rng;
    const auto node = NodeSecretKey::generate(rng);
    const SignedTransaction opted_out =
        sign(kChain, {node.public_key(), Nonce(1), {}, OptOut{}}, node);
    EXPECT_TRUE(verify(kChain, opted_out).has_value());
    const SignedTransaction mixed = sign(kChain, transfer(Address{}, 1), node);
    EXPECT_EQ(verify(kChain, mixed).error().code, Errc::Unauthenticated);
}

TEST(Transaction, RoundTripsThroughItsEncoding) {
    // Every method decodes to what was encoded, and the digest of both is the same.
    const NodeKey node;
    const Method methods[] = {TransferFlk{},
                              TransferUsd{},
                              Stake{node, FlkAmount::whole(1000)},
                              Unstake{},
                              WithdrawUnstaked{},
                              OptIn{},
                              OptOut{},
                              EndEpoch{Epoch(4)},
                              OpenLane{node, LaneIndex(3), ServiceId(1), {}, UsdAmount{5}},
                              TopUpLane{node, LaneIndex(3), UsdAmount{7}},
                              CloseLane{node, LaneIndex(3)},
                              full_settlement()};
    static_assert(std::size(methods) == std::variant_size_v<Method>);
    for (const Method& method : methods) {
        const Transaction made{node, Nonce(9), FlkAmount{3}, method};
        const auto decoded = bcs::decode<Transaction>(bcs::encode(made));
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(*decoded, made);
        EXPECT_EQ(digest_of(kChain, *decoded), digest_of(kChain, made));
    }
}

TEST(Transaction, TheLargestSettlementFits) {
    // A settlement with all that it may hold is at most as long as a transaction may be.
    crypto::SystemRng rng;
    const auto node = NodeSecretKey::generate(rng);
    const Bytes bytes =
        bcs::encode(sign(kChain, {node.public_key(), Nonce(1), {}, full_settlement()}, node));
    EXPECT_GT(bytes.size(), kSettlementAcksMax * (kDeliveryAckBytes + 64));
    EXPECT_LE(bytes.size() + 512, kTransactionBytesMax);
}

TEST(Transaction, TheSmallestIsNotBelowTheMinimum) {
    // Of every method, sender and signature, with nothing in what may be empty.
    const auto size_of = []<std::size_t... I>(Sender sender,
                                              TransactionSignature signature,
                                              std::index_sequence<I...> /*methods*/) {
        return std::min({bcs::encoded_size(
            SignedTransaction{{sender, {}, {}, Method(std::in_place_index<I>)}, signature})...});
    };
    constexpr auto kMethods = std::make_index_sequence<std::variant_size_v<Method>>();
    for (const Sender& sender : {Sender(Address{}), Sender(NodeKey{})})
        for (const TransactionSignature& signature :
             {TransactionSignature(AccountSignature{}), TransactionSignature(NodeSignature{})})
            EXPECT_GE(size_of(sender, signature, kMethods), kTransactionBytesMin);
}

TEST(Hashing, KindsAndChainsAreSeparate) {
    // The same content under another kind or chain has another digest.
    const BlockStatement statement{};
    EXPECT_NE(digest_of(kChain, statement).bytes, digest_of(ChainId(1), statement).bytes);
    EXPECT_NE(begin_message(MessageKind::Header, kChain).finish(),
              begin_message(MessageKind::Vote, kChain).finish());
}

struct Signers {
    std::vector<NodeSecretKey> keys;
    Committee committee;

    static Signers make(std::size_t count) {
        crypto::SystemRng rng;
        std::vector<NodeSecretKey> secrets;
        std::vector<NodeKey> members;
        for (std::size_t i = 0; i < count; ++i) secrets.push_back(NodeSecretKey::generate(rng));
        std::ranges::sort(secrets, {}, &NodeSecretKey::public_key);
        for (const auto& secret : secrets) members.push_back(secret.public_key());
        return {std::move(secrets), Committee::make(Epoch(2), members).value()};
    }

    BlockCertificate certify(const BlockStatement& statement, std::size_t signers) const {
        BlockCertificate certificate{statement, {}, {}};
        const auto digest = digest_of(kChain, statement);
        for (std::uint16_t i = 0; i < signers; ++i) {
            certificate.signers.insert(AuthorityIndex(i));
            EXPECT_TRUE(certificate.signatures.try_push_back(keys[i].sign(digest.view())));
        }
        return certificate;
    }
};

TEST(BlockCertificate, NeedsAQuorumOfTrueSignatures) {
    // n - f signatures verify; one fewer, one forged, a stranger or a wrong count does not, each
    // with its reason.
    const Signers signers = Signers::make(7);
    const BlockStatement statement{Epoch(2), Height(5), {}, {}};
    const BlockCertificate good = signers.certify(statement, signers.committee.quorum());
    EXPECT_TRUE(verify(kChain, signers.committee, good).has_value());
    EXPECT_EQ(
        verify(
            kChain, signers.committee, signers.certify(statement, signers.committee.quorum() - 1))
            .error()
            .code,
        Errc::Unauthenticated);
    BlockCertificate other = good;
    other.statement.height = Height(6);
    EXPECT_EQ(verify(kChain, signers.committee, other).error().code, Errc::Unauthenticated);
    BlockCertificate outsider = good;
    outsider.signers.insert(AuthorityIndex(100));
    EXPECT_EQ(verify(kChain, signers.committee, outsider).error().code, Errc::InvalidArgument);
    BlockCertificate miscounted = good;
    miscounted.signers.insert(AuthorityIndex(6));
    EXPECT_EQ(verify(kChain, signers.committee, miscounted).error().code, Errc::InvalidArgument);
    BlockCertificate elsewhen = good;
    elsewhen.statement.epoch = Epoch(3);
    EXPECT_EQ(verify(kChain, signers.committee, elsewhen).error().code, Errc::InvalidArgument);
}

}  // namespace
}  // namespace draco::types
