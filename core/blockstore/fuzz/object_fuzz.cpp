// Foreign files among the objects: dropped, left alone, or served as exactly what their hash says.
// Three attackers: one who writes any bytes, one who changes bytes of a good object, and one who
// writes footers with right checksums around whatever numbers and data he likes.

#include "draco/base/assert.hpp"
#include "draco/blake3_tree/directory.hpp"
#include "draco/blockstore/blockstore.hpp"
#include "draco/log/log.hpp"
#include "draco/simulon/disk.hpp"

#include "../src/entry_codec.hpp"
#include "../src/format.hpp"

#include <algorithm>
#include <memory>

namespace {

using namespace draco;              // NOLINT(google-build-using-namespace)
using namespace draco::blockstore;  // NOLINT(google-build-using-namespace)
using types::ContentHash;
using types::ContentInfo;
using types::ContentKind;

class Input {
public:
    explicit Input(ByteView bytes) : rest_(bytes) {}

    bool empty() const { return rest_.empty(); }

    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes && !rest_.empty(); ++i) {
            value = value << 8U | rest_[0];
            rest_ = rest_.subspan(1);
        }
        return value;
    }

    ByteView bytes(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    ByteView rest_;
};

// Small changes of what would be right.
std::uint64_t near(Input& input, std::uint64_t right) {
    const auto choice = input.number(1);
    if (choice < 200) return right;
    if (choice < 240) return right + choice - 220;
    return input.number(8);
}

void put_file(Disk& disk, const ContentHash& hash, ByteView bytes) {
    const Layout layout("blockstore");
    DRACO_ASSERT(disk.create_directory(layout.shard(hash)).has_value(), "the disk works");
    const auto file = disk.open(layout.object(hash), OpenMode::Truncate).value();
    DRACO_ASSERT(file->write_at(0, bytes).has_value(), "the disk works");
}

// What is served hashes to the address it is served for.
void check_file(const interfaces::StoredContent& object) {
    blake3_tree::Hasher hasher;
    for (std::uint64_t i = 0; i < object.info().leaves; ++i) {
        const auto block = object.read_block(i);
        if (!block) return;
        hasher.update(*block);
    }
    DRACO_ASSERT(hasher.bytes() == object.info().bytes, "the length that it says");
    DRACO_ASSERT(as_content_hash(hasher.finish()) == object.info().hash, "the file of the hash");
}

void check_directory(const interfaces::StoredContent& object) {
    const auto entries = object.entries(0, object.info().leaves);
    if (!entries) return;
    blake3_tree::DirectoryHasher hasher;
    for (const auto& entry : *entries) {
        const auto* link = std::get_if<types::LinkTarget>(&entry.target);
        const auto added =
            link != nullptr
                ? hasher.add_symlink(*entry.name, **link)
                : hasher.add_link(*entry.name, as_tree_hash(std::get<ContentHash>(entry.target)));
        DRACO_ASSERT(added.has_value(), "entries as directories have them");
        DRACO_ASSERT(object.find(*entry.name).value() == entry, "each is found");
    }
    const auto tree = std::move(hasher).finish();
    const auto root = tree ? tree->root() : blake3_tree::empty_directory_hash();
    DRACO_ASSERT(as_content_hash(root) == object.info().hash, "the directory of the hash");
}

void use(Disk& disk, const ContentHash& hash) {
    log::NullLog log;
    const auto store = open(disk, {}, log).value();
    const auto had = store->usage().bytes;
    if (const auto object = store->open(hash)) {
        if ((*object)->info().kind == ContentKind::File)
            check_file(**object);
        else
            check_directory(**object);
    }
    static_cast<void>(store->scrub(1'000'000));
    DRACO_ASSERT(store->usage().bytes <= had, "nothing is counted twice");
}

void write_bytes(Input input) {
    simulon::SimulatedDisk disk(1);
    put_file(disk, ContentHash(), input.bytes(~std::size_t{0}));
    use(disk, ContentHash());
}

types::DirectoryEntry entry_of(std::string name) {
    types::DirectoryEntry entry;
    entry.name = decltype(entry.name)::make(std::move(name)).value();
    entry.target = ContentHash();
    return entry;
}

ContentInfo put_good(Disk& disk, bool is_directory) {
    log::NullLog log;
    const auto store = open(disk, {}, log).value();
    if (is_directory)
        return store->put_directory({entry_of("a"), entry_of("b"), entry_of("c")}).value();
    auto writer = store->write_file().value();
    DRACO_ASSERT(writer->write(Bytes(300, 7)).has_value(), "the disk works");
    return writer->finish().value();
}

void change_bytes(Input input) {
    simulon::SimulatedDisk disk(1);
    const auto info = put_good(disk, input.number(1) % 2 == 0);
    const auto file =
        disk.open(Layout("blockstore").object(info.hash), OpenMode::ReadWrite).value();
    const std::uint64_t size = file->size().value();
    while (!input.empty()) {
        const std::uint64_t offset = input.number(2) % (size + 8);
        const std::uint8_t byte = static_cast<std::uint8_t>(input.number(1));
        DRACO_ASSERT(file->write_at(offset, {&byte, 1}).has_value(), "the disk works");
    }
    use(disk, info.hash);
}

Bytes directory_data(Input& input, std::uint64_t count) {
    Bytes data;
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < count; ++i) {
        offsets.push_back(near(input, data.size()));
        if (input.number(1) < 200)
            append_entry(data, entry_of(std::string(1, static_cast<char>('a' + i))));
        else
            append(data, input.bytes(input.number(1)));
    }
    for (const std::uint64_t offset : offsets) {
        const std::size_t at = data.size();
        data.resize(at + kOffsetBytes);
        store_le(data.data() + at, static_cast<std::uint32_t>(offset));
    }
    return data;
}

// The leaves that a reader would compute, so that the tree and the hash are right for the data.
blake3_tree::HashTree directory_tree(std::uint64_t count) {
    blake3_tree::DirectoryHasher hasher;
    for (std::uint64_t i = 0; i < count; ++i)
        DRACO_ASSERT(
            hasher.add_link(std::string(1, static_cast<char>('a' + i)), blake3_tree::Hash())
                .has_value(),
            "ascending names");
    return *std::move(hasher).finish();
}

void write_object(Input input) {
    const bool is_directory = input.number(1) % 2 == 0;
    const std::uint64_t leaves = is_directory ? 1 + input.number(1) % 20 : 1;
    const Bytes data =
        is_directory ? directory_data(input, leaves) : to_bytes(input.bytes(input.number(1)));
    const auto tree =
        is_directory ? directory_tree(leaves)
                     : blake3_tree::HashTree::from_leaves(std::vector{blake3_tree::hash(data)});
    const ContentHash hash = as_content_hash(tree.root());
    Bytes file = data;
    const std::uint64_t nodes = std::min<std::uint64_t>(near(input, tree.nodes().size()), 64);
    for (std::uint64_t i = 0; i < nodes; ++i)
        append(file, tree.nodes()[i % tree.nodes().size()].view());
    const Footer footer{
        .info = {.hash = hash,
                 .kind = input.number(1) < 240
                             ? (is_directory ? ContentKind::Directory : ContentKind::File)
                             : ContentKind::Directory,
                 .bytes = near(input, is_directory ? 0 : data.size()),
                 .leaves = near(input, leaves)},
        .data_bytes = near(input, data.size()),
        .sequence = near(input, 5)};
    append(file, encode_footer(footer));
    simulon::SimulatedDisk disk(1);
    put_file(disk, hash, file);
    use(disk, hash);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 8192) return 0;
    const Input input(ByteView(data + 1, size - 1));
    switch (data[0] % 8) {
        case 0:
            write_bytes(input);
            break;
        case 1:
        case 2:
            change_bytes(input);
            break;
        default:
            write_object(input);
    }
    return 0;
}
