// What the archive stores is the encoding of an ArchivedBlock; damaged encodings are refused.
#include "../src/archive.hpp"

#include "ledger_fixture.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace draco::ledger {
namespace {

ArchivedBlock archived(const BlockWithContent& content) {
    ArchivedBlock block;
    block.block = content.block;
    for (const auto& batch : content.batches) EXPECT_TRUE(block.batches.try_push_back(*batch));
    return block;
}

TEST(ArchivedBlocks, AreEncodedWithoutCopyingTheirBatches) {
    const MadeChain made(2);
    auto block = archived(made.blocks[1]);
    Bytes bytes = encode_archived(made.blocks[1]);
    EXPECT_EQ(bytes, bcs::encode(block));
    block.certificate = made.certificate(2);
    attach_certificate(bytes, bcs::encode(*block.certificate));
    EXPECT_EQ(bytes, bcs::encode(block));
}

TEST(ArchivedBlocks, EachTruncationIsRefused) {
    const MadeChain made(1);
    const Bytes bytes = encode_archived(made.blocks[0]);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(bcs::decode<ArchivedBlock>(ByteView(bytes).first(size)));
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(bcs::decode<ArchivedBlock>(longer));
}

TEST(ArchivedBlocks, TheCorpusOfTheFuzzTargetDecodes) {
    for (const char* name : {"plain", "certified"}) {
        std::ifstream file(std::string(DRACO_MODULE_DIR "/fuzz/corpus/archived_block/") + name,
                           std::ios::binary);
        const Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        const auto block = bcs::decode<ArchivedBlock>(bytes);
        ASSERT_TRUE(block) << name << ": " << to_string(block.error());
        EXPECT_EQ(block->certificate.has_value(), std::string_view(name) == "certified");
    }
}

}  // namespace
}  // namespace draco::ledger
