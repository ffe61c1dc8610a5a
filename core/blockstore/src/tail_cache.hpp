#pragma once
// Tails of objects that were verified, by address: those used last, as many as fit. Its owner
// guards it with a mutex.

#include "draco/types/content.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <memory>

namespace draco::blockstore {

struct ObjectTail;

class TailCache {
public:
    explicit TailCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    // Null: not here. O(log n)
    std::shared_ptr<const ObjectTail> find(const types::ContentHash& hash);
    // Instead of one that is here. One that would not fit alone is not kept.
    void put(const types::ContentHash& hash, std::shared_ptr<const ObjectTail> tail);
    void drop(const types::ContentHash& hash);

    std::uint64_t bytes() const { return bytes_; }

private:
    struct Kept {
        types::ContentHash hash;
        std::shared_ptr<const ObjectTail> tail;
        std::uint64_t bytes = 0;
    };

    const std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    std::list<Kept> kept_;  // used last: first
    std::map<types::ContentHash, std::list<Kept>::iterator> by_hash_;
};

}  // namespace draco::blockstore
