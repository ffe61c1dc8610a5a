#pragma once
// Lanes, words and their keys, for tests that need no chain.

#include "draco/pod/core.hpp"
#include "draco/pod/lane_units.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include <string>
#include <utility>
#include <vector>

namespace draco::pod::testing {

inline constexpr types::ChainId kChain(1337);

template <class Key>
Key number_key(std::uint64_t number) {
    Key key{};
    store_le<std::uint64_t>(key.bytes.data(), number);
    return key;
}

inline types::NodeKey this_node() {
    return number_key<types::NodeKey>(1);
}

// The session key number `id`: the same in every test.
inline types::SessionSecretKey session(std::uint64_t id) {
    const auto seed = number_key<FixedBytes<struct SessionSeedTag, 32>>(id + 1);
    return types::SessionSecretKey(crypto::Ed25519Seed(seed.view()));
}

inline types::LaneKey lane_of(std::uint64_t payer, std::uint16_t index = 0) {
    return {number_key<types::Address>(payer), this_node(), types::LaneIndex(index)};
}

inline types::SignedDeliveryAck word(const types::LaneKey& lane,
                                     std::uint64_t instance,
                                     std::uint64_t cumulative,
                                     const types::SessionSecretKey& key,
                                     types::ChainId chain = kChain) {
    return types::sign(
        chain, {lane.payer, lane.node, lane.index, types::LaneInstance(instance), cumulative}, key);
}

// 7 units of USD for every 1000 bytes.
inline types::Lane open_lane(std::uint64_t instance,
                             std::uint64_t reserve,
                             const types::SessionSecretKey& key) {
    types::Lane lane;
    lane.instance = types::LaneInstance(instance);
    lane.price = {types::UsdAmount{7}, 1'000};
    lane.session_key = key.public_key();
    lane.reserve = types::UsdAmount{reserve};
    return lane;
}

template <class E>
std::vector<E> all_of(const Effects& effects) {
    std::vector<E> found;
    for (const Effect& effect : effects)
        if (const auto* one = std::get_if<E>(&effect)) found.push_back(*one);
    return found;
}

}  // namespace draco::pod::testing
