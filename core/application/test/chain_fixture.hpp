#pragma once
// A chain of one machine: genesis, signed transactions, blocks.

#include "draco/application/application.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/base/rng.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace draco::application::testing {

using namespace draco::types;  // NOLINT(google-build-using-namespace): the vocabulary of the tests

class SeededRng final : public Rng {
public:
    explicit SeededRng(std::uint64_t seed) : engine_(seed) {}

    void fill(MutByteView out) override {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

struct Person {
    AccountSecretKey secret;
    Address address;

    explicit Person(Rng& rng)
        : secret(AccountSecretKey::generate(rng)),
          address(crypto::ethereum_address(secret.public_key())) {}
};

struct Machine {
    NodeSecretKey secret;
    NodeKey key;

    explicit Machine(Rng& rng) : secret(NodeSecretKey::generate(rng)), key(secret.public_key()) {}
};

inline FlkAmount flk(std::uint64_t units) {
    return {units};
}

inline UsdAmount usd(std::uint64_t units) {
    return {units};
}

// The session key number `id`: the same in every test.
inline SessionSecretKey session(std::uint8_t id) {
    FixedBytes<struct SessionSeedTag, 32> seed;
    seed.bytes.fill(id);
    return SessionSecretKey(crypto::Ed25519Seed(std::as_const(seed).view()));
}

inline SettleLanes settlement(std::vector<SignedDeliveryAck> acks,
                              std::vector<PeerShare> peers = {}) {
    return {decltype(SettleLanes::acks)::make(std::move(acks)).value(),
            decltype(SettleLanes::peers)::make(std::move(peers)).value()};
}

inline NodeEndpoints endpoints(std::string host) {
    NodeEndpoints made;
    made.host = bcs::Bounded<std::string, kHostBytesMax>::make(std::move(host)).value();
    made.link_port = 4300;
    return made;
}

// Person i has 1,000,000 units of each token; machine i belongs to person i. The first
// `serving` machines are staked with 1,000 units and take part. A thousand bytes cost 7 units of
// USD; service 0 sells them, and the last person has built it.
class Chain {
public:
    static constexpr std::uint64_t kFunds = 1'000'000;
    static constexpr std::uint64_t kStake = 1'000;
    static constexpr std::uint64_t kEpochMs = 10'000;
    static constexpr std::uint64_t kChallengeMs = 5'000;

    explicit Chain(std::size_t people_count = 6, std::size_t serving = 4) {
        SeededRng rng(7);
        genesis.chain = ChainId(1337);
        genesis.time = {1'000'000};
        genesis.parameters = {.epoch_ms = kEpochMs,
                              .committee_size_min = 1,
                              .committee_size_max = 4,
                              .stake_min = flk(kStake),
                              .unbonding_epochs = 2,
                              .fee_base = flk(10),
                              .fee_per_byte = flk(1),
                              .node_transactions_max = 3,
                              .node_settlements_max = 5,
                              .lane_challenge_ms = kChallengeMs,
                              .emission_flk_per_usd = flk(500'000),
                              .protocol_account = protocol()};
        EXPECT_TRUE(genesis.prices.try_push_back(
            GenesisPrice{Commodity::Bandwidth, UnitPrice{usd(7), 1'000}}));
        for (std::size_t i = 0; i < people_count; ++i) {
            people.emplace_back(rng);
            machines.emplace_back(rng);
            EXPECT_TRUE(genesis.accounts.try_push_back(
                GenesisAccount{people[i].address, flk(kFunds), usd(kFunds)}));
            if (i < serving)
                EXPECT_TRUE(genesis.nodes.try_push_back(GenesisNode{
                    machines[i].key, people[i].address, flk(kStake), endpoints("127.0.0.1")}));
        }
        EXPECT_TRUE(genesis.services.try_push_back(GenesisService{
            ServiceId(0),
            Service{
                ServiceName::make("cdn").value(), people.back().address, Commodity::Bandwidth}}));
        application = open(atomo::open_memory_storage(), genesis).value();
    }

    // Nobody's, of those above.
    static Address protocol() {
        Address address;
        address.bytes.fill(0xEE);
        return address;
    }

    std::shared_ptr<const interfaces::StateView> view() const {
        return application->view().value();
    }

    Account account(std::size_t person) const {
        return view()->account(people[person].address).value();
    }

    NodeRecord node(std::size_t machine) const {
        return view()->node(machines[machine].key).value().value();
    }

    LaneKey lane_key(std::size_t person, std::size_t machine, std::uint16_t index = 0) const {
        return {people[person].address, machines[machine].key, LaneIndex(index)};
    }

    std::optional<Lane> find_lane(const LaneKey& key) const { return view()->lane(key).value(); }

    Lane lane(std::size_t person, std::size_t machine, std::uint16_t index = 0) const {
        return find_lane(lane_key(person, machine, index)).value();
    }

    // Lane `index` of the person to the machine, with the session key of the person's number.
    OpenLane opening(std::size_t person,
                     std::size_t machine,
                     UsdAmount reserve,
                     std::uint16_t index = 0) const {
        return {machines[machine].key,
                LaneIndex(index),
                ServiceId(0),
                session(static_cast<std::uint8_t>(person)).public_key(),
                reserve};
    }

    // Of the lane that is open.
    SignedDeliveryAck ack(std::size_t person,
                          std::size_t machine,
                          std::uint64_t cumulative,
                          std::uint16_t index = 0) const {
        const LaneKey key = lane_key(person, machine, index);
        return sign(
            genesis.chain,
            DeliveryAck{
                key.payer, key.node, key.index, find_lane(key).value().instance, cumulative},
            session(static_cast<std::uint8_t>(person)));
    }

    // With the sender's next nonce and any fee allowed.
    Bytes by_person(std::size_t person, Method method) const {
        return by_person(person, account(person).nonce.value() + 1, std::move(method));
    }

    Bytes by_person(std::size_t person,
                    std::uint64_t nonce,
                    Method method,
                    FlkAmount fee_max = flk(100'000)) const {
        return bcs::encode(sign(genesis.chain,
                                {people[person].address, Nonce(nonce), fee_max, std::move(method)},
                                people[person].secret));
    }

    Bytes by_machine(std::size_t machine, Method method) const {
        return by_machine(machine, node(machine).nonce.value() + 1, std::move(method));
    }

    Bytes by_machine(std::size_t machine, std::uint64_t nonce, Method method) const {
        return bcs::encode(sign(genesis.chain,
                                {machines[machine].key, Nonce(nonce), {}, std::move(method)},
                                machines[machine].secret));
    }

    FlkAmount fee(const Bytes& transaction) const { return flk(10 + transaction.size()); }

    struct Content {
        Block block;
        std::vector<std::shared_ptr<const Batch>> batches;

        interfaces::BlockContent view(ChainId chain) const {
            return {block, digest_of(chain, block), batches};
        }
    };

    // The next block, `later_ms` after the last one.
    Content next(const std::vector<Bytes>& transactions, std::uint64_t later_ms = 1) const {
        const auto state = view();
        Content content;
        content.block.epoch = state->epoch().epoch;
        content.block.height = Height(state->head().height.value() + 1);
        content.block.parent = state->head().digest;
        content.block.timestamp = {state->head().timestamp.ms + later_ms};
        auto batch = std::make_shared<Batch>();
        batch->epoch = content.block.epoch;
        batch->sequence = content.block.height.value();
        for (const Bytes& bytes : transactions)
            EXPECT_TRUE(batch->transactions.try_push_back(bytes));
        EXPECT_TRUE(content.block.batches.try_push_back(digest_of(genesis.chain, *batch)));
        content.batches.push_back(std::move(batch));
        return content;
    }

    Result<interfaces::ExecutedBlock> execute(const Content& content) {
        return application->execute(content.view(genesis.chain));
    }

    // Executes them in a block of their own; every block keeps the books balanced.
    interfaces::ExecutedBlock run(const std::vector<Bytes>& transactions,
                                  std::uint64_t later_ms = 1) {
        auto executed = execute(next(transactions, later_ms));
        EXPECT_TRUE(executed.has_value()) << to_string(executed.error());
        const auto audited = audit(*view());
        EXPECT_TRUE(audited.has_value()) << to_string(audited.error());
        return *std::move(executed);
    }

    Revert revert_of(const Bytes& transaction) {
        return std::get<Receipt>(run({transaction}).transactions.at(0).outcome).revert;
    }

    // What became of each acknowledgement of a settlement that was executed.
    std::vector<AckReceipt> settle(std::size_t machine, SettleLanes method) {
        const auto executed = run({by_machine(machine, std::move(method))});
        const auto& receipt = std::get<Receipt>(executed.transactions.at(0).outcome);
        EXPECT_EQ(receipt.revert, Revert::None);
        return *receipt.acks;
    }

    AckReceipt settle(std::size_t machine, const SignedDeliveryAck& ack) {
        return settle(machine, settlement({ack})).at(0);
    }

    Refusal refusal_of(const Bytes& transaction) {
        return std::get<Refusal>(run({transaction}).transactions.at(0).outcome);
    }

    // The committee's members end the epoch.
    interfaces::ExecutedBlock end_epoch() {
        std::vector<Bytes> signals;
        for (std::size_t i = 0; i < machines.size(); ++i)
            if (std::ranges::binary_search(*view()->epoch().committee, machines[i].key))
                signals.push_back(by_machine(i, EndEpoch{view()->epoch().epoch}));
        return run(signals, kEpochMs);
    }

    Genesis genesis;
    std::vector<Person> people;
    std::vector<Machine> machines;
    std::unique_ptr<interfaces::Application> application;
};

}  // namespace draco::application::testing
