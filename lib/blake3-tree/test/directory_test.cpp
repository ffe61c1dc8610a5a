#include "draco/blake3_tree/directory.hpp"

#include "draco/blake3_tree/verifier.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

namespace draco::blake3_tree {
namespace {

std::string root_of(DirectoryHasher hasher) {
    return sample::hex(std::move(hasher).finish()->root());
}

Errc code_of(const Result<>& result) {
    EXPECT_FALSE(result);
    return result.error().code;
}

TEST(Directory, KeyAndEmptyDirectory) {
    // The key, as the specification prints it, and the directory without entries.
    EXPECT_EQ(sample::hash_hex(as_bytes("DIRECTORY")),
              "8b587083608a98c5ee3f8ed2e05861b7f4d274d554d7091015af3d48fbae4c15");
    EXPECT_EQ(sample::hex(empty_directory_hash()),
              "483f7a85ae3cdb0a34d1b22fc86da4740c35b268805993ea82471d5083c1e780");
    EXPECT_FALSE(DirectoryHasher().finish());
}

TEST(Directory, KnownDirectories) {
    // The specification's directories.
    DirectoryHasher one;
    ASSERT_TRUE(one.add_link("a", sample::filled(1)));
    EXPECT_EQ(root_of(std::move(one)),
              "e54d7e20940b619ae026e742dc5010ee087889a9772d4b69a27b4341592a2f03");
    DirectoryHasher two;
    ASSERT_TRUE(two.add_link("a", sample::filled(1)));
    ASSERT_TRUE(two.add_link("b", sample::filled(2)));
    EXPECT_EQ(root_of(std::move(two)),
              "5d424fcc8835c00f364b386e6340a657b6bfa45409e0798b2060bdc5ac05328b");
    DirectoryHasher symlink;
    ASSERT_TRUE(symlink.add_symlink("l", "target"));
    EXPECT_EQ(root_of(std::move(symlink)),
              "3ecfb84ee95228b66fb341d09b53c25c327508c669edbc3def571c6d83872f04");
}

TEST(Directory, KnownSite) {
    // The specification's site of three files, with its inner nodes.
    DirectoryHasher site;
    ASSERT_TRUE(site.add_link("b.js", sample::filled(1)));
    ASSERT_TRUE(site.add_link("fleek.config.json", sample::filled(2)));
    ASSERT_TRUE(site.add_link("index.js", sample::filled(3)));
    EXPECT_EQ(site.entry_count(), 3U);
    const HashTree tree = *std::move(site).finish();
    EXPECT_EQ(sample::hex(tree.root()),
              "2713272e28976929bc669d2c89f2a8b2d502385753ab954400c2e2ecf3206dd3");
    ASSERT_EQ(tree.nodes().size(), 5U);
    EXPECT_TRUE(sample::hex(tree.nodes()[0]).starts_with("cb4caf0e"));
    EXPECT_TRUE(sample::hex(tree.nodes()[1]).starts_with("8e7fba7e"));
    EXPECT_TRUE(sample::hex(tree.nodes()[2]).starts_with("3b896fb5"));
    EXPECT_TRUE(sample::hex(tree.nodes()[3]).starts_with("63805449"));
}

TEST(Directory, MatchesModel) {
    // Directories of 1..70 mixed entries against transcripts written out by hand.
    const auto algorithm = model::keyed(model::output({}, as_bytes("DIRECTORY"), 32));
    for (std::size_t count = 1; count <= 70; ++count) {
        DirectoryHasher hasher;
        std::vector<Hash> leaves;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = "entry-" + std::to_string(1000 + i);
            const bool is_symlink = i % 3 == 1;
            std::string transcript(1,
                                   static_cast<char>((count == 1 ? 1 : 0) | (is_symlink ? 2 : 0)));
            transcript += name;
            transcript += '\0';
            if (is_symlink) {
                ASSERT_TRUE(hasher.add_symlink(name, "../" + name));
                transcript += "../" + name + '\0';
            } else {
                ASSERT_TRUE(hasher.add_link(name, sample::filled(static_cast<std::uint8_t>(i))));
                transcript += std::string(32, static_cast<char>(i));
            }
            transcript += static_cast<char>(i % 256);
            transcript += static_cast<char>(i / 256);
            leaves.push_back(model::to_hash(model::output(algorithm, as_bytes(transcript), 32)));
        }
        const HashTree tree = *std::move(hasher).finish();
        ASSERT_TRUE(std::ranges::equal(tree.nodes(), model::tree(algorithm, leaves))) << count;
    }
}

TEST(Directory, EntriesCanBeProven) {
    // Proofs and verifier work on directories as on contents.
    DirectoryHasher hasher;
    for (int i = 0; i < 9; ++i)
        ASSERT_TRUE(hasher.add_link("n" + std::to_string(i), sample::filled(1)));
    const HashTree tree = *std::move(hasher).finish();
    for (std::uint64_t i = 0; i < 9; ++i) {
        TreeVerifier verifier(tree.root(), i, directory_mode());
        ASSERT_TRUE(verifier.feed_proof(initial_proof(tree.view(), i).bytes()));
        EXPECT_FALSE(verifier.accept_leaf(tree.leaf((i + 1) % 9)));
        EXPECT_TRUE(verifier.accept_leaf(tree.leaf(i)));
    }
}

TEST(Directory, LeavesOfSingleEntriesAreThoseOfTheTree) {
    // Links and symbolic links, alone and among others, and with an index of two bytes.
    DirectoryHasher one;
    ASSERT_TRUE(one.add_symlink("l", "target"));
    EXPECT_EQ(symlink_leaf({.index = 0, .is_only = true}, "l", "target"),
              std::move(one).finish()->root());
    DirectoryHasher many;
    const auto name = [](std::size_t i) { return std::to_string(1000 + i); };
    for (std::size_t i = 0; i < 300; ++i)
        ASSERT_TRUE(i % 2 == 0 ? many.add_link(name(i), sample::filled(3))
                               : many.add_symlink(name(i), "t"));
    const HashTree tree = *std::move(many).finish();
    for (std::uint16_t i = 0; i < 300; ++i)
        EXPECT_EQ(i % 2 == 0 ? link_leaf({.index = i}, name(i), sample::filled(3))
                             : symlink_leaf({.index = i}, name(i), "t"),
                  tree.leaf(i));
}

TEST(Directory, RefusesBadEntriesUnchanged) {
    // Every rule about names and targets; the directory is what it would have been without them.
    using namespace std::string_view_literals;
    DirectoryHasher hasher;
    ASSERT_TRUE(hasher.add_link("m", sample::filled(1)));
    const std::string long_name(256, 'x');
    for (const std::string_view name :
         {""sv, std::string_view(long_name), "n\0"sv, "n/o"sv, "m"sv, "a"sv, "M"sv, ".."sv})
        EXPECT_EQ(code_of(hasher.add_link(name, Hash())), Errc::InvalidArgument) << name;
    const std::string long_target(1024, 'x');
    for (const std::string_view target : {""sv, std::string_view(long_target), "a\0b"sv})
        EXPECT_EQ(code_of(hasher.add_symlink("n", target)), Errc::InvalidArgument);
    DirectoryHasher dot;
    EXPECT_EQ(code_of(dot.add_link(".", Hash())), Errc::InvalidArgument);
    EXPECT_EQ(hasher.entry_count(), 1U);

    DirectoryHasher good;
    ASSERT_TRUE(good.add_link("m", sample::filled(1)));
    for (DirectoryHasher* directory : {&hasher, &good}) {
        ASSERT_TRUE(directory->add_link(std::string(255, 'x'), sample::filled(2)));
        ASSERT_TRUE(directory->add_symlink("\xC3\xA4", std::string(1023, 't')));
    }
    EXPECT_EQ(root_of(std::move(hasher)), root_of(std::move(good)));
}

TEST(Directory, AtMost65535Entries) {
    // The bound is an error, not a wrapped index.
    DirectoryHasher hasher;
    std::string name = "00000";
    for (std::size_t i = 0; i < kDirectoryEntriesMax; ++i) {
        std::string digits = std::to_string(i);
        name.replace(5 - digits.size(), digits.size(), digits);
        ASSERT_TRUE(hasher.add_link(name, Hash()));
    }
    EXPECT_EQ(code_of(hasher.add_link("z", Hash())), Errc::Exhausted);
    EXPECT_EQ(std::move(hasher).finish()->leaf_count(), kDirectoryEntriesMax);
}

}  // namespace
}  // namespace draco::blake3_tree
