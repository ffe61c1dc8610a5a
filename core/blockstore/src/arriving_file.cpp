#include "arriving_file.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "stored_object.hpp"

#include <algorithm>

namespace draco::blockstore {
namespace {

using types::ContentHash;
using types::ContentInfo;
using types::ContentKind;

std::unexpected<Error> no_such_block(const ContentInfo& info, std::uint64_t index) {
    return fail(Errc::Corrupt,
                to_hex(info.hash.view()) + " has " + std::to_string(info.leaves) +
                    " blocks and no block " + std::to_string(index) + "; distrust the sender");
}

std::unexpected<Error> wrong_length(const ContentHash& hash, std::uint64_t bytes) {
    return fail(Errc::Corrupt,
                to_hex(hash.view()) + " is not of the claimed length of " + std::to_string(bytes) +
                    " bytes; distrust who claimed it");
}

}  // namespace

Result<> PresentFile::put_block(std::uint64_t index, ByteView /*block*/) {
    if (!has_block(index)) return no_such_block(info(), index);
    return {};
}

ArrivingFile::ArrivingFile(const ContentInfo& info,
                           blake3_tree::HashTree tree,
                           std::unique_ptr<StagedFile> staged)
    : info_(info),
      tree_(std::move(tree)),
      staged_(std::move(staged)),
      is_here_(info.leaves),
      missing_(info.leaves) {}

std::string ArrivingFile::describe(std::uint64_t index) const {
    return "block " + std::to_string(index) + " of " + to_hex(info_.hash.view());
}

std::shared_ptr<const StoredObject> ArrivingFile::stored() const {
    const std::lock_guard lock(mutex_);
    return stored_;
}

bool ArrivingFile::has_block(std::uint64_t index) const {
    const std::lock_guard lock(mutex_);
    return index < is_here_.size() && is_here_[index];
}

Result<> ArrivingFile::check_block(std::uint64_t index, ByteView block) const {
    if (!is_block(tree_.view(), index, block))
        return fail(Errc::Corrupt,
                    describe(index) + " is another one; discard it, ask another sender");
    if (block.size() != block_bytes(info_, index)) return wrong_length(info_.hash, info_.bytes);
    return {};
}

Result<> ArrivingFile::put_block(std::uint64_t index, ByteView block) {
    if (index >= info_.leaves) return no_such_block(info_, index);
    const std::shared_lock writing(writing_);
    if (has_block(index)) return {};
    DRACO_TRY_VOID(check_block(index, block));
    DRACO_TRY_VOID(staged_->write(index * blake3_tree::kBlockBytes, block));
    const std::lock_guard lock(mutex_);
    if (is_here_[index]) {
        staged_->give_back(block.size());  // somebody else was faster
    } else {
        is_here_[index] = true;
        --missing_;
    }
    return {};
}

Result<Bytes> ArrivingFile::read_block(std::uint64_t index) const {
    if (const auto object = stored()) return object->read_block(index);
    Bytes block(block_bytes(info_, index));
    if (!has_block(index)) return fail(Errc::NotFound, describe(index) + " has not arrived");
    DRACO_TRY(count, staged_->file()->read_at(index * blake3_tree::kBlockBytes, block));
    if (count == block.size() && is_block(tree_.view(), index, block)) return block;
    const std::lock_guard lock(mutex_);
    if (is_here_[index] && !stored_) {
        is_here_[index] = false;
        ++missing_;
        staged_->give_back(block.size());
    }
    return fail(Errc::Corrupt, describe(index) + " was damaged on the disk: get it again");
}

Result<> ArrivingFile::check_all_here() const {
    const std::lock_guard lock(mutex_);
    if (missing_ == 0) return {};
    const auto first = std::ranges::find(is_here_, false) - is_here_.begin();
    return fail(Errc::NotFound,
                describe(static_cast<std::uint64_t>(first)) + ", and " +
                    std::to_string(missing_ - 1) + " more, have not arrived");
}

Result<> ArrivingFile::finish() {
    const std::lock_guard writing(writing_);
    if (stored()) return {};
    DRACO_TRY_VOID(check_all_here());
    const auto nodes = tree_.nodes();
    DRACO_TRY(
        object,
        staged_->store().commit(
            *staged_, info_, info_.bytes, {.nodes = {nodes.begin(), nodes.end()}, .offsets = {}}));
    const std::lock_guard lock(mutex_);
    stored_ = std::move(object);
    return {};
}

Result<std::unique_ptr<interfaces::ArrivingFile>> arrive(Store& store,
                                                         const ContentHash& hash,
                                                         std::vector<blake3_tree::Hash> nodes,
                                                         std::uint64_t bytes) {
    const ContentInfo info{.hash = hash,
                           .kind = ContentKind::File,
                           .bytes = bytes,
                           .leaves = blake3_tree::block_count(bytes)};
    if (nodes.size() != node_count(info.leaves)) return wrong_length(hash, bytes);
    DRACO_TRY(tree, blake3_tree::HashTree::from_nodes(std::move(nodes)));
    if (tree.root() != as_tree_hash(hash))
        return fail(
            Errc::Corrupt,
            "the tree has another root than " + to_hex(hash.view()) + "; distrust the sender");
    auto there = store.find(hash, Use::Counts);
    if (there) {
        if ((*there)->info() != info) return wrong_length(hash, bytes);
        return std::make_unique<PresentFile>(*std::move(there));
    }
    if (there.error().code != Errc::NotFound && there.error().code != Errc::Corrupt)
        return std::unexpected(std::move(there).error());
    const Footer footer{.info = info, .data_bytes = bytes, .sequence = 0};
    DRACO_TRY_VOID(store.check_room({.bytes = file_bytes(footer), .objects = 1}));
    DRACO_TRY(staged, store.stage());
    return std::make_unique<ArrivingFile>(info, std::move(tree), std::move(staged));
}

}  // namespace draco::blockstore
