#pragma once
// What the tree is compared with: a recursion over a std::map, written from the rules in types.hpp
// and sharing no code with the library; and a page store in memory.

#include "draco/base/bytes.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace draco::sparse_merkle {

using Model = std::map<Key, ValueHash>;

inline bool bit_of(const Key& key, unsigned depth) {
    return (key.bytes[depth / 8] & (0x80 >> (depth % 8))) != 0;
}

inline Digest model_hash(const Bytes& message) {
    return Digest(crypto::sha256(message).bytes);
}

inline Digest model_root(Model::const_iterator from, Model::const_iterator to, unsigned depth = 0) {
    if (from == to) return {};
    Bytes message;
    if (std::next(from) == to) {
        message.push_back(0);
        append(message, from->first.view());
        append(message, from->second.view());
        return model_hash(message);
    }
    auto split = from;
    while (split != to && !bit_of(split->first, depth)) ++split;
    append(message, model_root(from, split, depth + 1).view());
    append(message, model_root(split, to, depth + 1).view());
    return model_hash(message);
}

inline Digest model_root(const Model& model) {
    return model_root(model.begin(), model.end());
}

inline std::vector<Change> as_changes(const Model& model) {
    std::vector<Change> changes;
    changes.reserve(model.size());
    for (const auto& [key, value] : model) changes.push_back({key, value});
    return changes;
}

class MemoryStore final : public PageStore {
public:
    Result<void> read(std::span<const PageId> ids, const ReadVisitor& visit) const override {
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (const auto page = pages.find(ids[i]); page != pages.end())
                DRACO_TRY_VOID(visit(i, page->second));
        return {};
    }

    Result<void> scan(std::uint8_t depth, const ScanVisitor& visit) const override {
        for (auto page = pages.lower_bound(PageId(depth, Key{}));
             page != pages.end() && page->first.depth() == depth;
             ++page)
            DRACO_TRY_VOID(visit(page->first, page->second));
        return {};
    }

    void apply(std::vector<PageWrite> writes) {
        for (PageWrite& write : writes) {
            if (write.page)
                pages.insert_or_assign(write.id, *std::move(write.page));
            else
                pages.erase(write.id);
        }
    }

    std::map<PageId, Bytes> pages;
};

// A tree with its store, updated as an owner would.
struct World {
    MemoryStore store;
    Sha256Tree tree;

    Result<void> update(std::span<const Change> changes) {
        DRACO_TRY(update, tree.update(store, changes));
        store.apply(std::move(update.writes));
        tree = std::move(update.next);
        return {};
    }
};

template <class Fixed>
Fixed random_fixed(std::mt19937_64& rng) {
    Fixed value;
    for (std::size_t i = 0; i < Fixed::kSize; i += 8) store_le(value.data() + i, rng());
    return value;
}

// Keys that meet at every depth: often a copy of a known key with one bit flipped.
inline Key random_key(std::mt19937_64& rng, const Model& known) {
    Key key = random_fixed<Key>(rng);
    if (known.empty() || rng() % 2 == 0) return key;
    auto near = known.lower_bound(key);
    if (near == known.end()) near = known.begin();
    key = near->first;
    if (rng() % 4 == 0) return key;
    const auto depth = static_cast<unsigned>(rng() % kKeyBits);
    key.bytes[depth / 8] = static_cast<std::uint8_t>(key.bytes[depth / 8] ^ (0x80 >> (depth % 8)));
    return key;
}

}  // namespace draco::sparse_merkle
