#pragma once
// An object that somebody holds: its file open, its tree in memory.

#include "draco/interfaces/content.hpp"

#include "store.hpp"

#include <memory>
#include <vector>

namespace draco::blockstore {

// Up to where a check came, and what it read.
struct Checked {
    std::uint64_t next_leaf = 0;
    std::uint64_t bytes = 0;
};

class StoredObject final : public interfaces::StoredContent {
public:
    // `tail` has been verified against the hash.
    StoredObject(Hold hold,
                 std::shared_ptr<const File> file,
                 std::shared_ptr<const ObjectTail> tail);

    const types::ContentInfo& info() const override { return hold_.entry().info; }

    std::optional<blake3_tree::TreeView> tree() const override;
    Result<Bytes> read_block(std::uint64_t index) const override;
    Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                       std::size_t count_max) const override;
    Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const override;

    // Verifies leaves from the first-th on until `bytes_max` are read: at least one, if there are
    // more.
    Result<Checked> check(std::uint64_t first, std::uint64_t bytes_max) const;

private:
    blake3_tree::TreeView view() const { return blake3_tree::TreeView::over(tail_->nodes).value(); }

    Result<> check_is_directory() const;
    std::uint64_t entry_end(std::uint64_t index) const;
    // One after the last of the entries from the first-th that fit into a read.
    std::uint64_t batch_end(std::uint64_t first, std::uint64_t end) const;
    Result<> read_batch(std::uint64_t first,
                        std::uint64_t end,
                        std::vector<types::DirectoryEntry>& entries) const;
    Result<Bytes> read(std::uint64_t offset, std::uint64_t bytes) const;
    std::unexpected<Error> damaged_leaf(std::uint64_t index) const;

    const Hold hold_;
    const std::shared_ptr<const File> file_;
    const std::shared_ptr<const ObjectTail> tail_;
};

// The tail of the entry's file. Corrupt, saying what is wrong, unless it proves itself against the
// hash. `known`, if not null, was verified before: then only the footer and the size are looked at.
Result<std::shared_ptr<const ObjectTail>> read_tail(const File& file,
                                                    const Entry& entry,
                                                    std::shared_ptr<const ObjectTail> known);

}  // namespace draco::blockstore
