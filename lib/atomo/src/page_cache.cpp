#include "page_cache.hpp"

#include <utility>

namespace draco::atomo {
namespace {

using sparse_merkle::PageId;

// A node of the map, its slot in the table, and the allocator's own.
constexpr std::size_t kNodeBytes = sizeof(PageId) + sizeof(Bytes) + 6 * sizeof(void*);

std::size_t footprint(const Bytes& page) {
    return kNodeBytes + page.capacity();
}

}  // namespace

const Bytes* PageCache::find(const PageId& id) const {
    const auto found = pages_.find(id);
    return found == pages_.end() ? nullptr : &found->second;
}

void PageCache::put(const PageId& id, Bytes page) {
    if (bytes_max_ == 0) return;
    const auto [place, is_new] = pages_.try_emplace(id);
    if (is_new) {
        arrivals_.push_back(id);
        bytes_ += sizeof(PageId);
    } else {
        bytes_ -= footprint(place->second);
    }
    place->second = std::move(page);
    bytes_ += footprint(place->second);
    evict();
}

void PageCache::apply(std::span<sparse_merkle::PageWrite> writes) {
    for (auto& [id, page] : writes) {
        if (page)
            put(id, *std::move(page));
        else
            erase(id);
    }
}

void PageCache::erase(const PageId& id) {
    const auto found = pages_.find(id);
    if (found == pages_.end()) return;
    bytes_ -= footprint(found->second);
    pages_.erase(found);
}

void PageCache::evict() {
    while (bytes_ > bytes_max_) {
        erase(arrivals_.front());
        arrivals_.pop_front();
        bytes_ -= sizeof(PageId);
    }
}

}  // namespace draco::atomo
