#include "origins.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {

using types::ContentHash;
using types::NodeKey;

void Origins::came(const types::ContentInfo& file, std::uint64_t index, const NodeKey& peer) {
    const std::lock_guard lock(mutex_);
    if (file.leaves + kObjectBlocks > blocks_max_) return;
    auto found = objects_.find(file.hash);
    if (found == objects_.end()) {
        found =
            objects_.emplace(file.hash, Object{.age = ++age_last_, .peers = {}, .from = {}}).first;
        found->second.from.resize(file.leaves);
        by_age_.emplace(age_last_, file.hash);
        blocks_ += file.leaves + kObjectBlocks;
        make_room();
    }
    Object& object = found->second;
    auto at = std::ranges::find(object.peers, peer);
    if (at == object.peers.end()) {
        if (object.peers.size() >= kPeersMax) return;
        object.peers.push_back(peer);
        at = std::prev(object.peers.end());
    }
    object.from[index] = static_cast<std::uint16_t>(at - object.peers.begin() + 1);
}

// The newest stays: it fits alone.
void Origins::make_room() {
    while (blocks_ > blocks_max_) erase(objects_.find(by_age_.begin()->second));
}

void Origins::erase(std::map<ContentHash, Object>::iterator object) {
    blocks_ -= object->second.from.size() + kObjectBlocks;
    by_age_.erase(object->second.age);
    objects_.erase(object);
}

void Origins::forget(const ContentHash& hash) {
    const std::lock_guard lock(mutex_);
    if (const auto found = objects_.find(hash); found != objects_.end()) erase(found);
}

std::optional<NodeKey> Origins::sold(const ContentHash& hash, std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(hash);
    if (found == objects_.end() || index >= found->second.from.size()) return std::nullopt;
    const std::uint16_t from = std::exchange(found->second.from[index], std::uint16_t{0});
    if (from == 0) return std::nullopt;
    return found->second.peers[from - 1U];
}

}  // namespace draco::fetcher
