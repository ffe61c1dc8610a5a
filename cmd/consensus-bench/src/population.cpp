#include "population.hpp"

#include "draco/base/assert.hpp"
#include "draco/types/committee.hpp"

#include <algorithm>
#include <string>

namespace draco::consensus_bench {
namespace {

constexpr std::uint64_t kStakeWhole = 1'000;

}  // namespace

std::vector<types::NodeSecretKey> validator_keys(std::size_t validators) {
    std::vector<types::NodeSecretKey> keys;
    for (std::size_t i = 0; i < validators; ++i) {
        std::array<std::uint8_t, 32> seed{};
        store_le<std::uint64_t>(seed.data(), i + 1);
        keys.emplace_back(crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
    }
    std::ranges::sort(keys, {}, &types::NodeSecretKey::public_key);
    return keys;
}

types::NodeSecretKey worker_key(std::size_t validator, std::size_t worker) {
    constexpr std::size_t kIsWorker = 16;
    std::array<std::uint8_t, 32> seed{};
    store_le<std::uint64_t>(seed.data(), validator);
    store_le<std::uint64_t>(seed.data() + 8, worker);
    seed[kIsWorker] = 1;
    return types::NodeSecretKey(crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
}

types::Genesis make_genesis(const std::vector<types::NodeSecretKey>& keys) {
    types::Genesis genesis;
    genesis.chain = types::ChainId(1337);
    genesis.time = UnixTime{1};
    genesis.parameters = {.epoch_ms = std::uint64_t{1} << 40,
                          .committee_size_min = 1,
                          .committee_size_max = types::kCommitteeMax,
                          .stake_min = types::FlkAmount::whole(kStakeWhole),
                          .unbonding_epochs = 1,
                          .fee_base = {1},
                          .fee_per_byte = {1},
                          .node_transactions_max = 1};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        types::GenesisNode node;
        node.key = keys[i].public_key();
        node.stake = types::FlkAmount::whole(kStakeWhole);
        node.endpoints.host = decltype(node.endpoints.host)::make("127.0.0.1").value();
        node.endpoints.link_port = static_cast<std::uint16_t>(1 + i);
        const bool added = genesis.nodes.try_push_back(std::move(node));
        DRACO_ASSERT(added, "a bench has few validators");
    }
    return genesis;
}

}  // namespace draco::consensus_bench
