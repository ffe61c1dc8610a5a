#pragma once
// Contents made from a seed, and a store of them on a simulated disk.

#include "draco/blake3_tree/directory.hpp"
#include "draco/blake3_tree/parallel.hpp"
#include "draco/blockstore/blockstore.hpp"
#include "draco/log/sinks.hpp"
#include "draco/simulon/disk.hpp"

#include "../src/format.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace draco::blockstore {

using blake3_tree::kBlockBytes;
using interfaces::StoredContent;
using types::ContentHash;
using types::ContentInfo;
using types::ContentKind;

inline Bytes made_bytes(std::uint64_t seed, std::size_t size) {
    Bytes bytes(size);
    std::uint64_t state = seed * 2 + 1;
    for (std::size_t at = 0; at < size; at += 8) {
        state ^= state << 13U;
        state ^= state >> 7U;
        state ^= state << 17U;
        for (std::size_t i = at; i < std::min(at + 8, size); ++i)
            bytes[i] = static_cast<std::uint8_t>(state >> (8 * (i - at)));
    }
    return bytes;
}

// What a store should give back.
struct Content {
    ContentInfo info;
    Bytes bytes;
    std::vector<types::DirectoryEntry> entries;
    std::vector<blake3_tree::Hash> nodes;

    ByteView block(std::uint64_t index) const {
        return ByteView(bytes).subspan(index * kBlockBytes).first(block_bytes(info, index));
    }

    // By the formula of docs/formats/blockstore.md; files only.
    std::uint64_t file_bytes() const { return bytes.size() + 32 * nodes.size() + 109; }
};

inline Content made_file(std::uint64_t seed, std::size_t size) {
    Content content;
    content.bytes = made_bytes(seed, size);
    auto tree = blake3_tree::build_tree_parallel(content.bytes, 1);
    content.info = {.hash = ContentHash(blake3_tree::hash(content.bytes).bytes),
                    .kind = ContentKind::File,
                    .bytes = size,
                    .leaves = tree.leaf_count()};
    content.nodes = std::move(tree).take_nodes();
    return content;
}

inline types::DirectoryEntry made_link(const std::string& name, const ContentHash& target) {
    types::DirectoryEntry entry;
    entry.name = decltype(entry.name)::make(name).value();
    entry.target = target;
    return entry;
}

inline types::DirectoryEntry made_symlink(const std::string& name, const std::string& target) {
    types::DirectoryEntry entry;
    entry.name = decltype(entry.name)::make(name).value();
    entry.target = types::LinkTarget::make(target).value();
    return entry;
}

// `entries` ascend.
inline Content made_directory(std::vector<types::DirectoryEntry> entries) {
    Content content;
    blake3_tree::DirectoryHasher hasher;
    for (const auto& entry : entries)
        if (const auto* link = std::get_if<types::LinkTarget>(&entry.target))
            EXPECT_TRUE(hasher.add_symlink(*entry.name, **link));
        else
            EXPECT_TRUE(hasher.add_link(
                *entry.name, blake3_tree::Hash(std::get<ContentHash>(entry.target).bytes)));
    auto tree = std::move(hasher).finish();
    content.info = {
        .hash = ContentHash((tree ? tree->root() : blake3_tree::empty_directory_hash()).bytes),
        .kind = ContentKind::Directory,
        .bytes = 0,
        .leaves = entries.size()};
    if (tree) content.nodes = (*std::move(tree)).take_nodes();
    content.entries = std::move(entries);
    return content;
}

inline Content made_directory(std::uint64_t seed, std::size_t count) {
    std::vector<types::DirectoryEntry> entries;
    for (std::size_t i = 0; i < count; ++i) {
        // Not ASCII, and of many lengths.
        const std::string name =
            std::to_string(100'000 + i) + "\xc3\xbf" + std::string((seed + 7 * i) % 200, 'n');
        const auto bytes = made_bytes(seed + i, 32);
        entries.push_back((seed + i) % 5 == 4
                              ? made_symlink(name, std::string(1 + (seed + i) % 300, 't'))
                              : made_link(name, ContentHash(ByteView(bytes).first<32>())));
    }
    return made_directory(std::move(entries));
}

// "" if the object is all of the content and nothing else, read from back to front.
inline std::string difference(const StoredContent& object, const Content& content) {
    if (object.info() != content.info) return "another info";
    const auto tree = object.tree();
    if (tree.has_value() != !content.nodes.empty()) return "a tree too many or too few";
    if (tree && !std::ranges::equal(tree->nodes(), content.nodes)) return "another tree";
    if (content.info.kind == ContentKind::File) {
        for (std::uint64_t i = content.info.leaves; i-- > 0;) {
            const auto block = object.read_block(i);
            if (!block) return to_string(block.error());
            if (!equal(*block, content.block(i))) return "another block " + std::to_string(i);
        }
        return "";
    }
    const auto entries = object.entries(0, content.entries.size() + 1);
    if (!entries) return to_string(entries.error());
    if (*entries != content.entries) return "other entries";
    for (std::size_t i = 0; i < content.entries.size(); i += 1 + content.entries.size() / 16) {
        const auto found = object.find(*content.entries[i].name);
        if (!found) return to_string(found.error());
        if (*found != content.entries[i]) return "another entry " + std::to_string(i);
    }
    const auto none = object.find("no such name");
    if (!none) return to_string(none.error());
    return *none ? "an entry too many" : "";
}

inline Result<ContentInfo> put(interfaces::Blockstore& store, const Content& content) {
    if (content.info.kind == ContentKind::Directory) return store.put_directory(content.entries);
    DRACO_TRY(writer, store.write_file());
    DRACO_TRY_VOID(writer->write(content.bytes));
    return writer->finish();
}

inline std::uint64_t bytes_below(Disk& disk, const std::string& directory) {
    std::uint64_t bytes = 0;
    for (const auto& entry : disk.list(directory).value()) {
        const std::string path = directory + "/" + entry.name;
        bytes += entry.is_directory ? bytes_below(disk, path)
                                    : disk.open(path, OpenMode::Read).value()->size().value();
    }
    return bytes;
}

class StoreFixture : public ::testing::Test {
protected:
    void open() {
        store.reset();
        auto opened = blockstore::open(disk, options, log);
        ASSERT_TRUE(opened) << to_string(opened.error());
        store = *std::move(opened);
    }

    void SetUp() override { open(); }

    void put(const Content& content) {
        const auto info = blockstore::put(*store, content);
        ASSERT_TRUE(info) << to_string(info.error());
        ASSERT_EQ(*info, content.info);
    }

    // "" if the store has it, and whole.
    std::string look(const Content& content) {
        const auto object = store->open(content.info.hash);
        return object ? difference(**object, content) : to_string(object.error());
    }

    std::string path_of(const Content& content) const {
        return Layout(options.directory).object(content.info.hash);
    }

    std::uint64_t bytes_on_disk() { return bytes_below(disk, options.directory + "/objects"); }

    simulon::SimulatedDisk disk{1};
    log::MemoryLog log;
    Options options;
    std::unique_ptr<interfaces::Blockstore> store;
};

}  // namespace draco::blockstore
