#include "tail_cache.hpp"

#include "store.hpp"

#include <utility>

namespace draco::blockstore {
namespace {

// With what it takes to keep it.
std::uint64_t bytes_of(const ObjectTail& tail) {
    constexpr std::uint64_t kOverheadBytes = 256;
    return tail.nodes.size() * sizeof(blake3_tree::Hash) +
           tail.offsets.size() * sizeof(std::uint32_t) + kOverheadBytes;
}

}  // namespace

std::shared_ptr<const ObjectTail> TailCache::find(const types::ContentHash& hash) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found->second);
    return found->second->tail;
}

void TailCache::put(const types::ContentHash& hash, std::shared_ptr<const ObjectTail> tail) {
    drop(hash);
    const std::uint64_t bytes = bytes_of(*tail);
    if (bytes > bytes_max_) return;
    kept_.push_front({.hash = hash, .tail = std::move(tail), .bytes = bytes});
    by_hash_.emplace(hash, kept_.begin());
    bytes_ += bytes;
    while (bytes_ > bytes_max_) drop(types::ContentHash(kept_.back().hash));
}

void TailCache::drop(const types::ContentHash& hash) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) return;
    bytes_ -= found->second->bytes;
    kept_.erase(found->second);
    by_hash_.erase(found);
}

}  // namespace draco::blockstore
