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

inline NodeEndpoints endpoints(std::string host) {
    NodeEndpoints made;
    made.host = bcs::Bounded<std::string, kHostBytesMax>::make(std::move(host)).value();
    made.link_port = 4300;
    return made;
}

// Person i has 1,000,000 units of each token; machine i belongs to person i. The first
// `serving` machines are staked with 1,000 units and take part.
class Chain {
public:
    static constexpr std::uint64_t kFunds = 1'000'000;
    static constexpr std::uint64_t kStake = 1'000;
    static constexpr std::uint64_t kEpochMs = 10'000;

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
                              .node_transactions_max = 3};
        for (std::size_t i = 0; i < people_count; ++i) {
            people.emplace_back(rng);
            machines.emplace_back(rng);
            EXPECT_TRUE(genesis.accounts.try_push_back(
                GenesisAccount{people[i].address, flk(kFunds), usd(kFunds)}));
            if (i < serving)
                EXPECT_TRUE(genesis.nodes.try_push_back(GenesisNode{
                    machines[i].key, people[i].address, flk(kStake), endpoints("127.0.0.1")}));
        }
        application = open(atomo::open_memory_storage(), genesis).value();
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
            EXPECT_TRUE(batch->transactions.try_push_back(TransactionBytes::make(bytes).value()));
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
