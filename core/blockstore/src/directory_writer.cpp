#include "directory_writer.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/directory.hpp"

#include "entry_codec.hpp"
#include "staged_file.hpp"
#include "stored_object.hpp"

namespace draco::blockstore {
namespace {

using Entries = std::vector<types::DirectoryEntry>;

// Entries travel as text (docs/decisions/006), so one that is none could be stored and never sent.
Result<> check_text(std::string_view text, std::string_view what) {
    if (bcs::is_utf8(text)) return {};
    return fail(Errc::InvalidArgument,
                std::string(what) + " that is not UTF-8 (in hex: " + to_hex(as_bytes(text)) +
                    ") cannot be in a directory; rename it");
}

Result<> add_entry(blake3_tree::DirectoryHasher& to, const types::DirectoryEntry& entry) {
    DRACO_TRY_VOID(check_text(*entry.name, "a name"));
    if (const auto* link = std::get_if<types::LinkTarget>(&entry.target))
        DRACO_TRY_VOID(check_text(**link, "the target of a symbolic link"));
    if (const auto* link = std::get_if<types::LinkTarget>(&entry.target))
        return to.add_symlink(*entry.name, **link);
    return to.add_link(*entry.name, as_tree_hash(std::get<types::ContentHash>(entry.target)));
}

Result<std::optional<blake3_tree::HashTree>> tree_of(const Entries& entries) {
    blake3_tree::DirectoryHasher hasher;
    for (const types::DirectoryEntry& entry : entries) DRACO_TRY_VOID(add_entry(hasher, entry));
    return std::move(hasher).finish();
}

// Collects small writes.
class Appender {
public:
    explicit Appender(StagedFile& staged) : staged_(staged) {}

    Bytes& buffer() { return buffer_; }

    std::uint64_t bytes() const { return written_ + buffer_.size(); }

    Result<> flush_above(std::size_t bytes) {
        if (buffer_.size() <= bytes) return {};
        DRACO_TRY_VOID(staged_.write(written_, buffer_));
        written_ += buffer_.size();
        buffer_.clear();
        return {};
    }

private:
    StagedFile& staged_;
    Bytes buffer_;
    std::uint64_t written_ = 0;
};

Result<std::vector<std::uint32_t>> write_entries(Appender& to, const Entries& entries) {
    std::vector<std::uint32_t> offsets;
    offsets.reserve(entries.size());
    for (const types::DirectoryEntry& entry : entries) {
        offsets.push_back(static_cast<std::uint32_t>(to.bytes()));
        append_entry(to.buffer(), entry);
        DRACO_TRY_VOID(to.flush_above(blake3_tree::kBlockBytes));
    }
    for (const std::uint32_t offset : offsets) {
        const std::size_t at = to.buffer().size();
        to.buffer().resize(at + kOffsetBytes);
        store_le(to.buffer().data() + at, offset);
    }
    DRACO_TRY_VOID(to.flush_above(0));
    return offsets;
}

}  // namespace

Result<types::ContentInfo> put_directory(Store& store, const Entries& entries) {
    DRACO_TRY(tree, tree_of(entries));
    const types::ContentInfo info{
        .hash = as_content_hash(tree ? tree->root() : blake3_tree::empty_directory_hash()),
        .kind = types::ContentKind::Directory,
        .bytes = 0,
        .leaves = entries.size()};
    // Most directories that are put again are there already.
    if (store.find(info.hash, Use::Counts)) return info;
    DRACO_TRY(staged, store.stage());
    Appender to(*staged);
    DRACO_TRY(offsets, write_entries(to, entries));
    ObjectTail tail{.nodes = {}, .offsets = std::move(offsets)};
    if (tree) tail.nodes = (*std::move(tree)).take_nodes();
    const auto committed = store.commit(*staged, info, to.bytes(), std::move(tail));
    if (!committed) return std::unexpected(committed.error());
    return info;
}

}  // namespace draco::blockstore
