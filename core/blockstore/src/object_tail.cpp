#include "draco/blake3_tree/directory.hpp"

#include "entry_codec.hpp"
#include "stored_object.hpp"

#include <algorithm>

namespace draco::blockstore {
namespace {

using blake3_tree::Hash;
using blake3_tree::HashTree;
using types::ContentKind;

Result<> read_exactly(const File& file, std::uint64_t offset, MutByteView out) {
    DRACO_TRY(count, file.read_at(offset, out));
    if (count == out.size()) return {};
    return fail(Errc::Corrupt, "the file is cut off");
}

Result<> check_footer(const File& file, const Entry& entry) {
    DRACO_TRY(size, file.size());
    if (size != entry.file_bytes) return fail(Errc::Corrupt, "the size of the file");
    Bytes bytes(kFooterBytes);
    DRACO_TRY_VOID(read_exactly(file, size - kFooterBytes, bytes));
    DRACO_TRY(footer, decode_footer(bytes, size));
    if (footer.info == entry.info && footer.sequence == entry.sequence) return {};
    return fail(Errc::Corrupt, "its footer is that of another object");
}

Result<std::vector<Hash>> read_nodes(const File& file, const Entry& entry) {
    const types::ContentInfo& info = entry.info;
    const bool is_file = info.kind == ContentKind::File;
    std::vector<Hash> nodes(node_count(info.leaves));
    if (nodes.empty()) {
        if (as_tree_hash(info.hash) == blake3_tree::empty_directory_hash()) return nodes;
        return fail(Errc::Corrupt, "an empty directory with the hash of another");
    }
    static_assert(sizeof(Hash) == Hash::kSize);
    const std::uint64_t offset = entry.file_bytes - kFooterBytes - tree_bytes(info.leaves);
    DRACO_TRY_VOID(read_exactly(file, offset, {nodes.front().data(), tree_bytes(info.leaves)}));
    DRACO_TRY(
        tree,
        HashTree::from_nodes(std::move(nodes),
                             is_file ? blake3_tree::Mode::plain() : blake3_tree::directory_mode()));
    if (tree.root() != as_tree_hash(info.hash)) return fail(Errc::Corrupt, "its tree");
    return std::move(tree).take_nodes();
}

// The offsets lead to the entries, which prove themselves when they are read.
Result<std::vector<std::uint32_t>> read_offsets(const File& file, const Entry& entry) {
    const std::uint64_t leaves = entry.info.leaves;
    if (entry.info.kind == ContentKind::File || leaves == 0) return std::vector<std::uint32_t>();
    const std::uint64_t end = entry.file_bytes - kFooterBytes - tree_bytes(leaves);
    const std::uint64_t begin = end - leaves * kOffsetBytes;
    Bytes bytes(leaves * kOffsetBytes);
    DRACO_TRY_VOID(read_exactly(file, begin, bytes));
    std::vector<std::uint32_t> offsets(leaves);
    for (std::size_t i = 0; i < leaves; ++i)
        offsets[i] = load_le<std::uint32_t>(bytes.data() + kOffsetBytes * i);
    const bool ascend = std::ranges::adjacent_find(offsets, [](std::uint32_t a, std::uint32_t b) {
                            return b <= a || b - a > kEntryBytesMax;
                        }) == offsets.end();
    const bool end_well = offsets.back() < begin && begin - offsets.back() <= kEntryBytesMax;
    if (offsets.front() != 0 || !ascend || !end_well)
        return fail(Errc::Corrupt, "the offsets of its entries");
    return offsets;
}

}  // namespace

Result<std::shared_ptr<const ObjectTail>> read_tail(const File& file,
                                                    const Entry& entry,
                                                    std::shared_ptr<const ObjectTail> known) {
    DRACO_TRY_VOID(check_footer(file, entry));
    if (known) return known;
    DRACO_TRY(nodes, read_nodes(file, entry));
    DRACO_TRY(offsets, read_offsets(file, entry));
    return std::make_shared<const ObjectTail>(
        ObjectTail{.nodes = std::move(nodes), .offsets = std::move(offsets)});
}

}  // namespace draco::blockstore
