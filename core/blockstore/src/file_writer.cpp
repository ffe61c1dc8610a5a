#include "file_writer.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::blockstore {

using blake3_tree::kBlockBytes;

Result<> FileWriter::write(ByteView bytes) {
    DRACO_ASSERT(!finished_, "nothing is written to a finished file");
    if (failed_) return fail(Errc::Io, staged_->path() + ": a write failed before; begin anew");
    auto done = put(bytes);
    failed_ = !done;
    return done;
}

// Whole blocks go to the disk as they come, without a copy.
Result<> FileWriter::put(ByteView bytes) {
    if (!rest_.empty()) {
        const auto taken = bytes.first(std::min(bytes.size(), kBlockBytes - rest_.size()));
        append(rest_, taken);
        bytes = bytes.subspan(taken.size());
        if (rest_.size() < kBlockBytes) return {};
        DRACO_TRY_VOID(append_to_file(rest_));
        rest_.clear();
    }
    const std::size_t whole = bytes.size() / kBlockBytes * kBlockBytes;
    for (std::size_t at = 0; at < whole; at += kBlockBytes)
        DRACO_TRY_VOID(append_to_file(bytes.subspan(at, kBlockBytes)));
    append(rest_, bytes.subspan(whole));
    return {};
}

Result<> FileWriter::append_to_file(ByteView bytes) {
    const std::uint64_t offset = tree_.bytes();
    tree_.update(bytes);
    return staged_->write(offset, bytes);
}

Result<types::ContentInfo> FileWriter::finish() {
    DRACO_ASSERT(!finished_, "a file is finished once");
    if (failed_) return fail(Errc::Io, staged_->path() + ": a write failed before; begin anew");
    finished_ = true;
    DRACO_TRY_VOID(append_to_file(rest_));
    const std::uint64_t bytes = tree_.bytes();
    auto tree = std::move(tree_).finish();
    const types::ContentInfo info{.hash = as_content_hash(tree.root()),
                                  .kind = types::ContentKind::File,
                                  .bytes = bytes,
                                  .leaves = tree.leaf_count()};
    auto committed = staged_->store().commit(
        *staged_, info, bytes, {.nodes = std::move(tree).take_nodes(), .offsets = {}});
    staged_.reset();
    if (!committed) return std::unexpected(std::move(committed).error());
    stored_ = *std::move(committed);
    return info;
}

}  // namespace draco::blockstore
