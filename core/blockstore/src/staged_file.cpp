#include "staged_file.hpp"

namespace draco::blockstore {

StagedFile::StagedFile(std::shared_ptr<Store> store, std::shared_ptr<File> file, std::string path)
    : store_(std::move(store)), file_(std::move(file)), path_(std::move(path)) {}

StagedFile::~StagedFile() {
    if (state_ == State::Published || state_ == State::Stranded) return;
    file_.reset();
    const auto removed = store_->disk().remove(path_);
    if (removed || removed.error().code == Errc::NotFound)
        store_->release({.bytes = bytes_, .objects = 1});
    else
        store_->logger().error("an unfinished file cannot be removed",
                               {{"error", to_string(removed.error())},
                                {"advice", "check the disk; the next start removes the file"}});
}

Result<> StagedFile::write(std::uint64_t offset, ByteView bytes) {
    DRACO_TRY_VOID(store_->reserve({.bytes = bytes.size(), .objects = 0}));
    bytes_ += bytes.size();
    auto written = file_->write_at(offset, bytes);
    const std::uint64_t unsynced = unsynced_bytes_ += bytes.size();
    if (written && unsynced >= store_->unsynced_bytes_max()) written = sync();
    if (!written) give_back(bytes.size());
    return written;
}

// A disk that has failed to sync may say later that all is well, without what it lost.
Result<> StagedFile::sync() {
    unsynced_bytes_ = 0;
    auto synced = file_->sync();
    if (!synced) has_sync_failed_ = true;
    return synced;
}

void StagedFile::give_back(std::uint64_t bytes) {
    bytes_ -= bytes;
    store_->release({.bytes = bytes, .objects = 0});
}

Result<> StagedFile::seal(const Footer& footer, const std::vector<blake3_tree::Hash>& nodes) {
    if (state_ == State::Sealed) return {};
    if (state_ == State::Failed || has_sync_failed_)
        return fail(Errc::Io, path_ + ": the disk failed before; begin the file anew");
    Bytes tail;
    tail.reserve(tree_bytes(footer.info.leaves) + kFooterBytes);
    for (const blake3_tree::Hash& node : nodes) append(tail, node.view());
    append(tail, encode_footer(footer));
    DRACO_TRY_VOID(write(footer.data_bytes, tail));
    footer_ = footer;
    auto synced = sync();
    state_ = synced ? State::Sealed : State::Failed;
    return synced;
}

void StagedFile::set_published() {
    state_ = State::Published;
}

void StagedFile::set_stranded() {
    state_ = State::Stranded;
}

}  // namespace draco::blockstore
