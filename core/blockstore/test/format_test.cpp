// The bytes on the disk are those that docs/formats/blockstore.md describes, and no others are
// taken for them.
#include "draco/base/text_encoding.hpp"

#include "../src/entry_codec.hpp"
#include "store_fixture.hpp"

namespace draco::blockstore {
namespace {

using namespace std::string_literals;

Footer footer_of(const Content& content, std::uint64_t data_bytes) {
    return {.info = content.info, .data_bytes = data_bytes, .sequence = 7};
}

TEST(BlockstoreFormat, AFooterHasTheseBytes) {
    // Written by hand from the document.
    const Content content = made_file(1, 5);
    const Bytes bytes = encode_footer(footer_of(content, 5));
    const std::string expected = to_hex(as_bytes("drco_obj")) + "01000000" + "00" +
                                 to_hex(content.info.hash.view()) + "0500000000000000" +
                                 "0100000000000000" + "0500000000000000" + "0700000000000000";
    const std::string hex = to_hex(bytes);
    EXPECT_EQ(hex.substr(0, expected.size()), expected);
    const auto mode = blake3_tree::Mode::derive_key("draco blockstore object footer");
    EXPECT_EQ(hex.substr(expected.size()),
              to_hex(blake3_tree::hash(ByteView(bytes).first(77), mode).view()));
    EXPECT_EQ(bytes.size(), 109U);
}

TEST(BlockstoreFormat, AFooterIsTakenOnlyWhole) {
    const Content content = made_file(1, 300'000);
    const Footer footer = footer_of(content, 300'000);
    Bytes bytes = encode_footer(footer);
    const std::uint64_t size = file_bytes(footer);
    EXPECT_EQ(size, 300'000U + 3 * 32 + 109);
    ASSERT_TRUE(decode_footer(bytes, size));
    EXPECT_EQ(*decode_footer(bytes, size), footer);
    for (const std::uint64_t other : {size - 1, size + 1, std::uint64_t{0}, std::uint64_t{109}})
        EXPECT_EQ(decode_footer(bytes, other).error().code, Errc::Corrupt) << other;
    EXPECT_FALSE(decode_footer(ByteView(bytes).first(108), size));
    for (std::size_t i = 0; i < 8 * bytes.size(); ++i) {
        bytes[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
        EXPECT_FALSE(decode_footer(bytes, size)) << "bit " << i;
        bytes[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
    }
}

TEST(BlockstoreFormat, AFooterThatContradictsItselfIsRefused) {
    // With a right checksum: what a program with a fault, or a foreigner, could write.
    const auto refused = [](const Footer& footer) {
        const auto decoded = decode_footer(encode_footer(footer), file_bytes(footer));
        return !decoded && decoded.error().code == Errc::Corrupt;
    };
    const Footer file = footer_of(made_file(1, 300'000), 300'000);
    ASSERT_FALSE(refused(file));
    Footer changed = file;
    changed.info.leaves = 3;
    EXPECT_TRUE(refused(changed));
    changed = file;
    changed.info.bytes = 0;
    EXPECT_TRUE(refused(changed));
    changed = file;
    changed.info.bytes = ~std::uint64_t{0};
    changed.data_bytes = ~std::uint64_t{0};
    changed.info.leaves = std::uint64_t{1} << 46U;
    EXPECT_TRUE(refused(changed));
    const Footer directory = footer_of(made_directory(1, 3), 200);
    ASSERT_FALSE(refused(directory));
    changed = directory;
    changed.info.bytes = 1;
    EXPECT_TRUE(refused(changed));
    changed = directory;
    changed.data_bytes = 3 * 9 - 1;
    EXPECT_TRUE(refused(changed));
    changed = directory;
    changed.data_bytes = 3 * 1287 + 1;
    EXPECT_TRUE(refused(changed));
    changed = directory;
    changed.info.leaves = 65'536;
    changed.data_bytes = 65'536 * 100;
    EXPECT_TRUE(refused(changed));
}

TEST(BlockstoreFormat, EntriesHaveTheseBytes) {
    const auto encoded = [](const types::DirectoryEntry& entry) {
        Bytes bytes;
        append_entry(bytes, entry);
        EXPECT_EQ(decode_entry(bytes).value(), entry);
        return to_hex(bytes);
    };
    ContentHash hash;
    hash.bytes.fill(0xab);
    EXPECT_EQ(encoded(made_link("a\xff", hash)), "0261ff00" + to_hex(hash.view()));
    EXPECT_EQ(encoded(made_symlink("l", "up")), "016c01027570");
    EXPECT_EQ(encoded(made_symlink("a", "b")).size(), 2 * kEntryBytesMin);
    EXPECT_EQ(encoded(made_symlink(std::string(255, 'n'), std::string(1023, 't'))).size(),
              2 * kEntryBytesMax);
}

TEST(BlockstoreFormat, EntriesThatNoDirectoryHasAreRefused) {
    // Above all NUL bytes, with which two entries would have one leaf.
    for (const auto& entry : {made_symlink("", "t"),
                              made_symlink("a\0b"s, "t"),
                              made_symlink("a/b", "t"),
                              made_symlink("..", "t"),
                              made_symlink("a", ""),
                              made_symlink("a", "b\0c"s)}) {
        Bytes bytes;
        append_entry(bytes, entry);
        EXPECT_EQ(decode_entry(bytes).error().code, Errc::Corrupt);
    }
    Bytes bytes;
    append_entry(bytes, made_symlink("a", "b"));
    bytes.push_back(0);
    EXPECT_FALSE(decode_entry(bytes));
    EXPECT_FALSE(decode_entry({}));
}

TEST(BlockstoreFormat, NamesOfFilesAreLowerCaseHexOnly) {
    const ContentHash hash = made_file(1, 9).info.hash;
    const std::string name = to_hex(hash.view());
    EXPECT_EQ(hash_of_name(name), hash);
    std::string upper = name;
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    EXPECT_FALSE(hash_of_name(upper));
    EXPECT_FALSE(hash_of_name(name.substr(1)));
    EXPECT_FALSE(hash_of_name(name + "0"));
    EXPECT_EQ(Layout("b").object(hash), "b/objects/" + name.substr(0, 2) + "/" + name);
}

}  // namespace
}  // namespace draco::blockstore
