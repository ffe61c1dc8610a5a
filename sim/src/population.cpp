#include "population.hpp"

#include "draco/base/assert.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/types/committee.hpp"

#include <string>

namespace draco::sim {
namespace {

constexpr std::uint64_t kFundsWhole = 1'000'000;
constexpr std::uint64_t kStakeWhole = 1'000;

types::ChainParameters parameters(const NetworkScenario& scenario) {
    return {.epoch_ms = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::milliseconds>(scenario.epoch).count()),
            .committee_size_min = 4,
            .committee_size_max = types::kCommitteeMax,
            .stake_min = types::FlkAmount::whole(kStakeWhole),
            .unbonding_epochs = 2,
            .fee_base = {1'000},
            .fee_per_byte = {10},
            .node_transactions_max = 64,
            .node_settlements_max = 256,
            .emission_flk_per_usd = types::FlkAmount::whole(1)};
}

types::Address new_address(simulon::SeededRng& rng) {
    return crypto::ethereum_address(types::AccountSecretKey::generate(rng).public_key());
}

void add_readers(Population& made, const NetworkScenario& scenario, simulon::SeededRng& rng) {
    for (std::size_t i = 0; i < scenario.readers; ++i) {
        auto key = types::AccountSecretKey::generate(rng);
        const auto address = crypto::ethereum_address(key.public_key());
        made.readers.push_back({std::move(key), address, types::SessionSecretKey::generate(rng)});
        const bool added = made.genesis.accounts.try_push_back(types::GenesisAccount{
            address, types::FlkAmount::whole(kFundsWhole), types::UsdAmount::whole(kFundsWhole)});
        DRACO_ASSERT(added, "a scenario has few readers");
    }
    for (std::size_t i = 0; i < scenario.members + 2; ++i) made.payees.push_back(new_address(rng));
    made.genesis.parameters.protocol_account = made.payees[scenario.members];
    const bool priced = made.genesis.prices.try_push_back(
        types::GenesisPrice{types::Commodity::Bandwidth, {.usd = {3}, .units = 1'000}});
    const bool served = made.genesis.services.try_push_back(
        types::GenesisService{types::ServiceId(0),
                              {.name = types::ServiceName::make("cdn").value(),
                               .builder = made.payees[scenario.members + 1],
                               .commodity = types::Commodity::Bandwidth}});
    DRACO_ASSERT(priced && served, "one price and one service");
}

types::NodeEndpoints endpoints(std::size_t index) {
    types::NodeEndpoints made;
    made.host =
        bcs::Bounded<std::string, types::kHostBytesMax>::make("node" + std::to_string(index))
            .value();
    made.link_port = 4300;
    return made;
}

}  // namespace

Population make_population(const NetworkScenario& scenario, std::uint64_t seed, UnixTime start) {
    simulon::SeededRng rng(seed);
    Population made;
    made.genesis.chain = types::ChainId(1337);
    made.genesis.time = start;
    made.genesis.parameters = parameters(scenario);
    for (std::size_t i = 0; i < scenario.accounts; ++i) {
        auto key = types::AccountSecretKey::generate(rng);
        const auto address = crypto::ethereum_address(key.public_key());
        made.clients.push_back({std::move(key), address});
        const bool added = made.genesis.accounts.try_push_back(types::GenesisAccount{
            address, types::FlkAmount::whole(kFundsWhole), types::UsdAmount::whole(kFundsWhole)});
        DRACO_ASSERT(added, "a scenario has few accounts");
    }
    if (scenario.readers > 0) add_readers(made, scenario, rng);
    for (std::size_t i = 0; i < scenario.members + scenario.followers; ++i) {
        made.node_keys.push_back(types::NodeSecretKey::generate(rng));
        made.nodes.push_back(made.node_keys.back().public_key());
        if (i >= scenario.members) continue;
        const bool added = made.genesis.nodes.try_push_back(types::GenesisNode{
            made.nodes.back(),
            made.payees.empty() ? made.clients[i % made.clients.size()].address : made.payees[i],
            types::FlkAmount::whole(kStakeWhole),
            endpoints(i)});
        DRACO_ASSERT(added, "a scenario has few nodes");
    }
    return made;
}

}  // namespace draco::sim
