#include "draco/node/devnet_genesis.hpp"

#include "draco/crypto/bip32.hpp"
#include "draco/crypto/bip39.hpp"

#include <algorithm>

namespace draco::node {
namespace {

constexpr std::uint16_t kCommitteeSizeMin = 4;
constexpr std::uint16_t kCommitteeSizeMax = 100;
// 0.0001 FLK and a millionth per byte: a transfer costs about 0.0003 FLK.
constexpr types::FlkAmount kFeeBase{100'000'000'000'000};
constexpr types::FlkAmount kFeePerByte{1'000'000'000'000};
constexpr types::UnitPrice kBandwidthPrice{.usd = {20'000}, .units = std::uint64_t{1} << 30U};

types::ChainParameters parameters(const DevnetOptions& options,
                                  const std::vector<types::Address>& accounts) {
    const auto size_min = std::clamp<std::size_t>(options.nodes.size(), 1, kCommitteeSizeMin);
    return {.epoch_ms = options.epoch_ms,
            .committee_size_min = static_cast<std::uint16_t>(size_min),
            .committee_size_max = kCommitteeSizeMax,
            .stake_min = types::FlkAmount::whole(kDevnetStakeMin),
            .unbonding_epochs = 2,
            .fee_base = kFeeBase,
            .fee_per_byte = kFeePerByte,
            .node_transactions_max = 64,
            .emission_flk_per_usd = types::FlkAmount::whole(1),
            .protocol_account = accounts[kDevnetProtocol]};
}

Result<std::vector<types::Address>> devnet_addresses() {
    std::vector<types::Address> addresses;
    for (std::uint32_t i = 0; i < kDevnetAccounts; ++i) {
        DRACO_TRY(key, devnet_account(i));
        addresses.push_back(crypto::ethereum_address(key.public_key()));
    }
    return addresses;
}

}  // namespace

Result<types::AccountSecretKey> devnet_account(std::uint32_t index) {
    if (index >= kDevnetAccounts)
        return fail(Errc::InvalidArgument,
                    "there is no development account " + std::to_string(index) +
                        "; they are 0 to " + std::to_string(kDevnetAccounts - 1));
    DRACO_TRY(mnemonic, crypto::Mnemonic::parse(kDevnetMnemonic));
    DRACO_TRY(seed, mnemonic.seed(""));
    DRACO_TRY(root, crypto::Bip32SecretKey::from_seed(seed.expose()));
    DRACO_TRY(path, crypto::parse_bip32_path("m/44'/60'/0'/0/" + std::to_string(index)));
    DRACO_TRY(account, root.descendant(path));
    return account.key().clone();
}

Result<types::Genesis> devnet_genesis(const DevnetOptions& options) {
    DRACO_TRY(addresses, devnet_addresses());
    types::Genesis genesis;
    genesis.chain = types::ChainId(kDevnetChain);
    genesis.time = options.time;
    genesis.parameters = parameters(options, addresses);
    DRACO_TRY(prices,
              decltype(genesis.prices)::make(
                  {{.commodity = types::Commodity::Bandwidth, .price = kBandwidthPrice}}));
    DRACO_TRY(name, types::ServiceName::make("cdn"));
    DRACO_TRY(services,
              decltype(genesis.services)::make(
                  {{.id = types::ServiceId(0),
                    .service = {.name = std::move(name),
                                .builder = addresses[kDevnetBuilder],
                                .commodity = types::Commodity::Bandwidth}}}));
    genesis.prices = std::move(prices);
    genesis.services = std::move(services);
    std::vector<types::GenesisAccount> accounts;
    accounts.reserve(addresses.size());
    for (const types::Address& address : addresses)
        accounts.push_back({.address = address,
                            .flk = types::FlkAmount::whole(kDevnetFunds),
                            .usd = types::UsdAmount::whole(kDevnetFunds)});
    std::vector<types::GenesisNode> nodes;
    nodes.reserve(options.nodes.size());
    for (const DevnetNode& node : options.nodes)
        nodes.push_back({.key = node.key,
                         .owner = addresses[nodes.size() % addresses.size()],
                         .stake = types::FlkAmount::whole(kDevnetNodeStake),
                         .endpoints = node.endpoints});
    DRACO_TRY(bounded_accounts, decltype(genesis.accounts)::make(std::move(accounts)));
    DRACO_TRY(bounded_nodes, decltype(genesis.nodes)::make(std::move(nodes)));
    genesis.accounts = std::move(bounded_accounts);
    genesis.nodes = std::move(bounded_nodes);
    DRACO_TRY_VOID(types::check(genesis));
    return genesis;
}

}  // namespace draco::node
