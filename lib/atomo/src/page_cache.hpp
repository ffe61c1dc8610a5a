#pragma once
// Pages of the state tree as the last commit left them, so that the next commit need not read them.

#include "draco/base/bytes.hpp"
#include "draco/sparse_merkle/page_store.hpp"

#include <cstddef>
#include <deque>
#include <span>
#include <unordered_map>

namespace draco::atomo {

// Evicts first in, first out: the pages that commits touch are spread by a hash, so what was used
// lately says nothing about what will be. Belongs to the writer's thread. Invariant, kept by the
// owner: each page in it is the one stored.
class PageCache {
public:
    // Pages and their bookkeeping take about `bytes_max` at most; 0 keeps none.
    explicit PageCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // Null if it is not here. Valid until the next call that changes the cache. O(1).
    const Bytes* find(const sparse_merkle::PageId& id) const;
    void put(const sparse_merkle::PageId& id, Bytes page);
    // After `writes` were committed; takes their pages.
    void apply(std::span<sparse_merkle::PageWrite> writes);

    std::size_t bytes() const { return bytes_; }

private:
    void erase(const sparse_merkle::PageId& id);
    void evict();

    const std::size_t bytes_max_;
    std::size_t bytes_ = 0;  // of pages_ and arrivals_
    std::unordered_map<sparse_merkle::PageId, Bytes> pages_;
    std::deque<sparse_merkle::PageId> arrivals_;  // of pages_, and of some that have left
};

}  // namespace draco::atomo
