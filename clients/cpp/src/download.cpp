#include "download.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <string>

namespace draco::client {
namespace {

constexpr std::size_t kReserveNodesMax = 1 << 16;

Result<> lie(std::string what) {
    return fail(Errc::Corrupt, "the node sent " + std::move(what));
}

}  // namespace

Result<> Download::take_head(const types::ContentInfo& info) {
    if (info.hash != hash_) return lie("the head of another content");
    if (info.kind != types::ContentKind::File)
        return fail(Errc::InvalidArgument, "this address is a directory: name a file in it");
    if (info.leaves != blake3_tree::block_count(info.bytes))
        return lie("a head that contradicts itself");
    if (info.bytes > bytes_max_)
        return fail(Errc::Exhausted,
                    "a file of " + std::to_string(info.bytes) + " bytes, where at most " +
                        std::to_string(bytes_max_) + " are accepted");
    if (next_ > info.leaves || (next_ == info.leaves && !info_))
        return fail(Errc::InvalidArgument,
                    "the file has " + std::to_string(info.leaves) + " blocks, none of number " +
                        std::to_string(next_));
    if (tree_ && info != *info_) return lie("another length than the tree has");
    info_ = info;
    return {};
}

Result<> Download::take_nodes(std::uint64_t first, std::span<const blake3_tree::Hash> nodes) {
    if (!info_ || tree_ || first != nodes_.size()) return lie("a part of a tree out of its turn");
    const std::uint64_t count = 2 * info_->leaves - 1;
    if (nodes.empty() || nodes.size() > count - nodes_.size()) return lie("too long a tree");
    nodes_.reserve(std::min<std::uint64_t>(count, kReserveNodesMax));
    nodes_.insert(nodes_.end(), nodes.begin(), nodes.end());
    if (nodes_.size() < count) return {};
    auto tree = blake3_tree::HashTree::from_nodes(std::exchange(nodes_, {}));
    if (!tree || tree->root().bytes != hash_.bytes) return lie("a tree of another content");
    tree_ = *std::move(tree);
    return {};
}

Result<> Download::take_block(std::uint64_t index, ByteView block) {
    if (!tree_ || index >= info_->leaves) return lie("a block that the file does not have");
    if (has(index)) return lie("a block twice");
    if (block.size() != block_bytes(index))
        return lie("block " + std::to_string(index) + " in another length");
    if (!verifies(index, block))
        return lie("block " + std::to_string(index) + " with other bytes than its hash demands");
    early_.emplace(index, to_bytes(block));
    return {};
}

bool Download::verifies(std::uint64_t index, ByteView block) const {
    if (index >= info_->leaves || block.size() != block_bytes(index)) return false;
    const blake3_tree::Node node = blake3_tree::block_node(block, index);
    const blake3_tree::Hash hash = info_->leaves == 1 ? node.root_hash() : node.chaining_value();
    return hash == tree_->leaf(index);
}

std::uint64_t Download::block_bytes(std::uint64_t index) const {
    return std::min<std::uint64_t>(blake3_tree::kBlockBytes,
                                   info_->bytes - index * blake3_tree::kBlockBytes);
}

void Download::keep(std::size_t bytes) {
    DRACO_ASSERT(early_.empty(), "what is kept is known before blocks are asked for");
    ++next_;
    bytes_kept += bytes;
}

std::optional<Bytes> Download::pop() {
    const auto first = early_.begin();
    if (first == early_.end() || first->first != next_) return std::nullopt;
    std::optional<Bytes> block = std::move(first->second);
    early_.erase(first);
    ++next_;
    return block;
}

void Download::forget() {
    info_.reset();
    nodes_.clear();
    tree_.reset();
    early_.clear();
}

}  // namespace draco::client
