#include "stored_object.hpp"

#include "draco/base/assert.hpp"
#include "draco/blake3_tree/directory.hpp"

#include "entry_codec.hpp"

#include <algorithm>

namespace draco::blockstore {
namespace {

using types::ContentKind;

std::uint64_t entries_bytes(const Entry& entry) {
    return entry.file_bytes - kFooterBytes - tree_bytes(entry.info.leaves) -
           entry.info.leaves * kOffsetBytes;
}

}  // namespace

StoredObject::StoredObject(Hold hold,
                           std::shared_ptr<const File> file,
                           std::shared_ptr<const ObjectTail> tail)
    : hold_(std::move(hold)), file_(std::move(file)), tail_(std::move(tail)) {}

std::optional<blake3_tree::TreeView> StoredObject::tree() const {
    if (tail_->nodes.empty()) return std::nullopt;
    return view();
}

std::unexpected<Error> StoredObject::damaged_leaf(std::uint64_t index) const {
    const std::string leaf = info().kind == ContentKind::File ? "block " : "entry ";
    return hold_.store().damaged(hold_.entry(), leaf + std::to_string(index));
}

Result<Bytes> StoredObject::read(std::uint64_t offset, std::uint64_t bytes) const {
    Bytes out(bytes);
    DRACO_TRY(count, file_->read_at(offset, out));
    out.resize(count);
    return out;
}

Result<Bytes> StoredObject::read_block(std::uint64_t index) const {
    DRACO_ASSERT(info().kind == ContentKind::File, "a directory has no blocks");
    const std::uint64_t bytes = block_bytes(info(), index);
    DRACO_TRY(block, read(index * blake3_tree::kBlockBytes, bytes));
    if (block.size() != bytes || !is_block(view(), index, block)) return damaged_leaf(index);
    return std::move(block);
}

Result<> StoredObject::check_is_directory() const {
    if (info().kind == ContentKind::Directory) return {};
    return fail(Errc::InvalidArgument,
                hold_.store().layout().object(info().hash) + " is a file, not a directory");
}

std::uint64_t StoredObject::entry_end(std::uint64_t index) const {
    return index + 1 < info().leaves ? tail_->offsets[index + 1] : entries_bytes(hold_.entry());
}

std::uint64_t StoredObject::batch_end(std::uint64_t first, std::uint64_t end) const {
    const std::uint64_t limit = tail_->offsets[first] + blake3_tree::kBlockBytes;
    std::uint64_t batch = first + 1;
    while (batch < end && entry_end(batch) <= limit) ++batch;
    return batch;
}

Result<> StoredObject::read_batch(std::uint64_t first,
                                  std::uint64_t end,
                                  std::vector<types::DirectoryEntry>& entries) const {
    const std::uint64_t begin = tail_->offsets[first];
    DRACO_TRY(bytes, read(begin, entry_end(end - 1) - begin));
    for (std::uint64_t i = first; i < end; ++i) {
        if (entry_end(i) - begin > bytes.size()) return damaged_leaf(i);
        const auto stored =
            ByteView(bytes).subspan(tail_->offsets[i] - begin, entry_end(i) - tail_->offsets[i]);
        auto entry = decode_entry(stored);
        const blake3_tree::EntryPlace place{.index = static_cast<std::uint16_t>(i),
                                            .is_only = info().leaves == 1};
        if (!entry || leaf_of(*entry, place) != view().leaf(i)) return damaged_leaf(i);
        entries.push_back(*std::move(entry));
    }
    return {};
}

Result<std::vector<types::DirectoryEntry>> StoredObject::entries(std::uint64_t first,
                                                                 std::size_t count_max) const {
    DRACO_TRY_VOID(check_is_directory());
    std::vector<types::DirectoryEntry> found;
    if (first >= info().leaves) return found;
    const std::uint64_t end = first + std::min<std::uint64_t>(count_max, info().leaves - first);
    found.reserve(end - first);
    for (std::uint64_t next = first; next < end;) {
        const std::uint64_t batch = batch_end(next, end);
        DRACO_TRY_VOID(read_batch(next, batch, found));
        next = batch;
    }
    return found;
}

Result<std::optional<types::DirectoryEntry>> StoredObject::find(std::string_view name) const {
    DRACO_TRY_VOID(check_is_directory());
    std::vector<types::DirectoryEntry> read;
    std::uint64_t low = 0;
    for (std::uint64_t high = info().leaves; low < high;) {
        const std::uint64_t middle = low + (high - low) / 2;
        read.clear();
        DRACO_TRY_VOID(read_batch(middle, middle + 1, read));
        const std::string_view found = *read.front().name;
        if (found == name) return std::optional(std::move(read.front()));
        if (found < name)
            low = middle + 1;
        else
            high = middle;
    }
    return std::optional<types::DirectoryEntry>();
}

Result<Checked> StoredObject::check(std::uint64_t first, std::uint64_t bytes_max) const {
    Checked checked{.next_leaf = first, .bytes = 0};
    std::vector<types::DirectoryEntry> entries;
    while (checked.next_leaf < info().leaves &&
           (checked.next_leaf == first || checked.bytes < bytes_max)) {
        const std::uint64_t leaf = checked.next_leaf;
        if (info().kind == ContentKind::File) {
            DRACO_TRY(block, read_block(leaf));
            checked.bytes += block.size();
            checked.next_leaf = leaf + 1;
        } else {
            checked.next_leaf = batch_end(leaf, info().leaves);
            entries.clear();
            DRACO_TRY_VOID(read_batch(leaf, checked.next_leaf, entries));
            checked.bytes += entry_end(checked.next_leaf - 1) - tail_->offsets[leaf];
        }
    }
    return checked;
}

}  // namespace draco::blockstore
