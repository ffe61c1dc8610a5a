#pragma once
// A file whose blocks come from strangers, in any order, on any thread.

#include "draco/interfaces/content.hpp"

#include "staged_file.hpp"

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

namespace draco::blockstore {

// One that is in the store already is whole from the beginning.
class PresentFile final : public interfaces::ArrivingFile {
public:
    explicit PresentFile(std::shared_ptr<const interfaces::StoredContent> stored)
        : stored_(std::move(stored)) {}

    const types::ContentInfo& info() const override { return stored_->info(); }

    Result<> put_block(std::uint64_t index, ByteView block) override;

    bool has_block(std::uint64_t index) const override { return index < info().leaves; }

    Result<Bytes> read_block(std::uint64_t index) const override {
        return stored_->read_block(index);
    }

    Result<> finish() override { return {}; }

private:
    const std::shared_ptr<const interfaces::StoredContent> stored_;
};

class ArrivingFile final : public interfaces::ArrivingFile {
public:
    // `tree` has the hash's root and as many leaves as the info.
    ArrivingFile(const types::ContentInfo& info,
                 blake3_tree::HashTree tree,
                 std::unique_ptr<StagedFile> staged);

    const types::ContentInfo& info() const override { return info_; }

    Result<> put_block(std::uint64_t index, ByteView block) override;
    bool has_block(std::uint64_t index) const override;
    Result<Bytes> read_block(std::uint64_t index) const override;
    Result<> finish() override;

private:
    Result<> check_block(std::uint64_t index, ByteView block) const;
    Result<> check_all_here() const;
    std::string describe(std::uint64_t index) const;
    std::shared_ptr<const StoredObject> stored() const;

    const types::ContentInfo info_;
    const blake3_tree::HashTree tree_;
    // Blocks are written by several, and none while the file is finished.
    std::shared_mutex writing_;
    const std::unique_ptr<StagedFile> staged_;
    mutable std::mutex mutex_;  // what follows
    mutable std::vector<bool> is_here_;
    mutable std::uint64_t missing_;
    std::shared_ptr<const StoredObject> stored_;  // once finished
};

// What Blockstore::arrive promises.
Result<std::unique_ptr<interfaces::ArrivingFile>> arrive(Store& store,
                                                         const types::ContentHash& hash,
                                                         std::vector<blake3_tree::Hash> nodes,
                                                         std::uint64_t bytes);

}  // namespace draco::blockstore
