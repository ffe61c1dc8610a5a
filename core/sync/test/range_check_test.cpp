// What may leave the check of an answer, and what is held against the peer.

#include "draco/sync/range_check.hpp"

#include "fake_chain.hpp"

namespace draco::sync {
namespace {

using namespace draco::sync::testing;

// The block after genesis, certified by a committee of four.
struct OneBlock {
    simulon::SeededRng rng{3};
    Seats seats = Seats::make(Epoch(0), rng);
    BlockWithContent content;

    explicit OneBlock(const std::vector<std::size_t>& transaction_sizes) {
        auto batch = std::make_shared<Batch>();
        for (const std::size_t size : transaction_sizes)
            EXPECT_TRUE(batch->transactions.try_push_back(Bytes(size)));
        content.block.height = Height(1);
        EXPECT_TRUE(content.block.batches.try_push_back(digest_of(kChain, *batch)));
        content.batches.push_back(std::move(batch));
        content.digest = digest_of(kChain, content.block);
    }

    BlockCertificate certificate() const {
        return seats.certify({Epoch(0), Height(1), {}, content.digest});
    }

    RangeCheck check() const {
        return {kChain, seats.committee, Base{}, kRangeBlocksMax, std::size_t{1} << 20};
    }

    static Bytes status() {
        Bytes stream;
        append_record(stream, bcs::encode(Status{Height(1), Height(1), std::nullopt}));
        return stream;
    }
};

TEST(RangeCheck, ABlockOfTinyTransactionsIsRefused) {
    // Even a certified one, as soon as the first such transaction is decoded: a range of them would
    // take many times its bytes in memory. Those of the smallest size pass.
    const auto add = [](const std::vector<std::size_t>& sizes) {
        const OneBlock one(sizes);
        RangeCheck check = one.check();
        Bytes stream = OneBlock::status();
        append_record(stream, encode_block(one.content, one.certificate()));
        const auto added = check.add(stream);
        EXPECT_EQ(check.blocks_certified(), added ? 1U : 0U);
        return added;
    };
    EXPECT_TRUE(add({kTransactionBytesMin, 5'000}).has_value());
    for (const std::size_t size : {std::size_t{0}, kTransactionBytesMin - 1}) {
        const auto refused = add({5'000, size});
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, Errc::Corrupt);
        EXPECT_NE(refused.error().context.find("fewer than 100 bytes"), std::string::npos);
    }
}

TEST(RangeCheck, DecodesAsTheEncodingOfTheWholeBlock) {
    // Piece by piece it accepts exactly what the type's decoder accepts, of blocks and of every
    // block with one byte changed.
    const OneBlock one({kTransactionBytesMin, 150});
    const Bytes good = encode_block(one.content, one.certificate());
    EXPECT_EQ(decode_block(good).value(), bcs::decode<ArchivedBlock>(good).value());
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_FALSE(decode_block(longer).has_value());
    for (std::size_t i = 0; i < good.size(); ++i) {
        Bytes changed = good;
        changed[i] ^= 0x5a;
        const auto whole = bcs::decode<ArchivedBlock>(changed);
        const auto pieces = decode_block(changed);
        if (pieces) EXPECT_EQ(*pieces, whole.value());
        if (pieces || !whole) continue;
        EXPECT_NE(pieces.error().context.find("fewer than"), std::string::npos) << i;
    }
}

}  // namespace
}  // namespace draco::sync
