#pragma once
// Which peer a block came from, until the block is sold for the first time: then that peer is named
// for it, once. Forgotten are the objects that came first, when there are too many, and all at a
// restart: what came before it is nobody's.

#include "draco/fetcher/fetcher.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace draco::fetcher {

// Thread-safe. Memory: two bytes for each block of the objects it knows, and some 300 for each.
class Origins {
public:
    // `blocks_max` bounds the blocks of all objects; each counts for kObjectBlocks more.
    explicit Origins(std::uint64_t blocks_max) : blocks_max_(blocks_max) {}

    static constexpr std::uint64_t kObjectBlocks = 128;
    static constexpr std::size_t kPeersMax = 1024;  // of one object; others are not named

    // A true block of this file came from the peer.
    void came(const types::ContentInfo& file, std::uint64_t index, const types::NodeKey& peer);
    void forget(const types::ContentHash& hash);
    // It is sold. Who sent it, the first time.
    std::optional<types::NodeKey> sold(const types::ContentHash& hash, std::uint64_t index);

private:
    struct Object {
        std::uint64_t age = 0;
        std::vector<types::NodeKey> peers;
        std::vector<std::uint16_t> from;  // of each block; 0: nobody's, else peers[from - 1]
    };

    void make_room();
    void erase(std::map<types::ContentHash, Object>::iterator object);

    const std::uint64_t blocks_max_;
    std::mutex mutex_;
    std::uint64_t blocks_ = 0;
    std::uint64_t age_last_ = 0;
    std::map<types::ContentHash, Object> objects_;
    std::map<std::uint64_t, types::ContentHash> by_age_;
};

}  // namespace draco::fetcher
