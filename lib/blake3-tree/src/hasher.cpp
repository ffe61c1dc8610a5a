#include "draco/blake3_tree/hasher.hpp"

#include "draco/base/assert.hpp"

#include "node.hpp"

#include <bit>
#include <cstring>

namespace draco::blake3_tree {

// left_ and partial_ are written before they are read; pending_ likewise.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): 3 KiB that need no zeroing
Hasher::Hasher(const Mode& mode, std::uint64_t first_chunk)
    : mode_(mode), first_chunk_(first_chunk) {}

void Hasher::update(ByteView input) {
    while (!input.empty()) {
        merge_pending();
        if (partial_bytes_ > 0 || input.size() < kChunkBytes) {
            const std::size_t taken = std::min(input.size(), kChunkBytes - partial_bytes_);
            std::memcpy(partial_.data() + partial_bytes_, input.data(), taken);
            partial_bytes_ += taken;
            input = input.subspan(taken);
            if (partial_bytes_ == kChunkBytes) {
                partial_bytes_ = 0;
                push_subtree(chunk_node(mode_, partial_, first_chunk_ + chunk_count_), 1);
            }
            continue;
        }
        // The largest complete subtree that the input holds and that may begin here.
        std::uint64_t chunks = std::min(kBlockChunks, std::bit_floor(input.size() / kChunkBytes));
        if (chunk_count_ != 0)
            chunks = std::min(chunks, std::uint64_t{1} << std::countr_zero(chunk_count_));
        const ByteView subtree = input.first(chunks * kChunkBytes);
        push_subtree(subtree_node(mode_, subtree, first_chunk_ + chunk_count_), chunks);
        input = input.subspan(subtree.size());
    }
}

void Hasher::push_subtree(const Node& node, std::uint64_t chunk_count) {
    pending_ = node;
    pending_chunks_ = chunk_count;
    chunk_count_ += chunk_count;
}

// Called when more bytes follow, so neither pending_ nor what it completes is the root.
void Hasher::merge_pending() {
    if (pending_chunks_ == 0) return;
    Hash value = pending_.chaining_value();
    for (std::uint64_t size = pending_chunks_; (chunk_count_ & size) == 0; size *= 2)
        value = parent_node(mode_, left_[--left_count_], value).chaining_value();
    DRACO_ASSERT(left_count_ < kHeightMax, "an input has fewer than 2^64 bytes");
    left_[left_count_++] = value;
    pending_chunks_ = 0;
}

Node Hasher::node() const {
    Node node = pending_chunks_ > 0 ? pending_
                                    : chunk_node(mode_,
                                                 ByteView(partial_).first(partial_bytes_),
                                                 first_chunk_ + chunk_count_);
    for (std::size_t i = left_count_; i-- > 0;)
        node = parent_node(mode_, left_[i], node.chaining_value());
    return node;
}

Hash hash(ByteView input, const Mode& mode) {
    if (input.size() <= kBlockBytes) return subtree_node(mode, input, 0).root_hash();
    Hasher hasher(mode);
    hasher.update(input);
    return hasher.finish();
}

}  // namespace draco::blake3_tree
