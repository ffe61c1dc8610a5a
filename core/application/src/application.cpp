#include "draco/application/application.hpp"

#include "draco/base/text_encoding.hpp"

#include "block_execution.hpp"
#include "epochs.hpp"
#include "lanes.hpp"
#include "payout.hpp"
#include "tables.hpp"
#include "working_state.hpp"

#include <string>
#include <utility>

namespace draco::application {
namespace {

using types::Account;
using types::NodeRecord;

Result<ChainRecord> read_chain(const atomo::Snapshot<Tables>& snapshot) {
    DRACO_TRY(chain, snapshot.get(kChain, kChainKey));
    if (!chain) return fail(Errc::Corrupt, "the state has no chain record");
    return *std::move(chain);
}

class View final : public interfaces::StateView {
public:
    View(atomo::Snapshot<Tables> snapshot, ChainRecord chain)
        : snapshot_(std::move(snapshot)), chain_(std::move(chain)) {}

    types::ChainId chain() const override { return chain_.chain; }

    types::GenesisDigest genesis() const override { return chain_.genesis; }

    const types::ChainParameters& parameters() const override { return chain_.parameters; }

    const types::ChainHead& head() const override { return chain_.head; }

    types::StateRoot state_root() const override {
        return types::StateRoot(snapshot_.root().bytes);
    }

    const types::EpochInfo& epoch() const override { return chain_.epoch; }

    const types::Supply& supply() const override { return chain_.supply; }

    Result<Account> account(const types::Address& address) const override {
        DRACO_TRY(account, snapshot_.get(kAccounts, address));
        return account.value_or(Account{});
    }

    Result<std::optional<NodeRecord>> node(const types::NodeKey& key) const override {
        return snapshot_.get(kNodes, key);
    }

    types::UsdAmount revenue_pot() const override { return chain_.pot; }

    Result<std::optional<types::Lane>> lane(const types::LaneKey& key) const override {
        return snapshot_.get(kLanes, key);
    }

    Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes(
        const std::optional<types::LaneKey>& after, std::size_t count_max) const override {
        return page(kLanes, after, count_max);
    }

    Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes_of(
        const types::Address& payer,
        const std::optional<types::LaneKey>& after,
        std::size_t count_max) const override {
        const types::LaneKey first{.payer = payer, .node = {}, .index = {}};
        std::vector<std::pair<types::LaneKey, types::Lane>> found;
        auto cursor =
            snapshot_.scan(kLanes, atomo::Range<types::LaneKey>::from(after.value_or(first)));
        while (found.size() < count_max) {
            DRACO_TRY(entry, cursor.next());
            if (!entry || entry->key.payer != payer) break;
            if (after && entry->key == *after) continue;
            found.emplace_back(entry->key, entry->value);
        }
        return found;
    }

    Result<std::vector<std::pair<types::Commodity, types::UnitPrice>>> prices() const override {
        return page(kPrices, std::optional<types::Commodity>(), types::kCommoditiesMax);
    }

    Result<std::vector<std::pair<types::ServiceId, types::Service>>> services() const override {
        return page(kServices, std::optional<types::ServiceId>(), types::kServicesMax);
    }

    Result<std::optional<types::NodeRevenue>> node_revenue(
        types::Epoch epoch, const types::NodeKey& node) const override {
        return snapshot_.get(kNodeRevenues, RevenueKey{epoch, node});
    }

    Result<std::optional<types::EpochRevenue>> epoch_revenue(types::Epoch epoch) const override {
        return snapshot_.get(kEpochRevenues, epoch);
    }

    Result<std::vector<std::pair<types::Address, Account>>> accounts(
        const std::optional<types::Address>& after, std::size_t count_max) const override {
        return page(kAccounts, after, count_max);
    }

    Result<std::vector<std::pair<types::NodeKey, NodeRecord>>> nodes(
        const std::optional<types::NodeKey>& after, std::size_t count_max) const override {
        return page(kNodes, after, count_max);
    }

    Result<std::optional<types::Committee>> committee(types::Epoch epoch) const override {
        DRACO_TRY(members, snapshot_.get(kCommittees, epoch));
        if (!members) return std::nullopt;
        DRACO_TRY(committee, types::Committee::make(epoch, **members));
        return std::move(committee);
    }

    Result<std::optional<types::Receipt>> receipt(
        const types::TransactionHash& hash) const override {
        return snapshot_.get(kReceipts, hash);
    }

    Result<Bytes> prove_account(const types::Address& address) const override {
        return snapshot_.prove(kAccounts, address);
    }

private:
    template <class T, class K = T::KeyType>
    Result<std::vector<std::pair<K, typename T::ValueType>>> page(T table,
                                                                  const std::optional<K>& after,
                                                                  std::size_t count_max) const {
        using Keys = atomo::Range<K>;
        std::vector<std::pair<K, typename T::ValueType>> found;
        auto cursor = snapshot_.scan(table, after ? Keys::from(*after) : Keys::all());
        while (found.size() < count_max) {
            DRACO_TRY(entry, cursor.next());
            if (!entry) break;
            if (after && entry->key == *after) continue;
            found.emplace_back(entry->key, std::move(entry->value));
        }
        return found;
    }

    const atomo::Snapshot<Tables> snapshot_;
    const ChainRecord chain_;
};

Result<> check_extends(const ChainRecord& chain, const interfaces::BlockContent& content) {
    const types::Block& block = content.block;
    const auto refuse = [&](const std::string& what) {
        return fail(Errc::InvalidArgument,
                    "block " + std::to_string(block.height.value()) + " " + what);
    };
    if (block.height.value() != chain.head.height.value() + 1)
        return refuse("does not follow block " + std::to_string(chain.head.height.value()));
    if (block.parent != chain.head.digest) return refuse("has another parent than the last block");
    if (block.epoch != chain.epoch.epoch)
        return refuse("is of epoch " + std::to_string(block.epoch.value()) + "; epoch " +
                      std::to_string(chain.epoch.epoch.value()) + " is running");
    if (block.timestamp <= chain.head.timestamp) return refuse("is not later than the one before");
    if (content.digest != types::digest_of(chain.chain, block)) return refuse("has another digest");
    if (content.batches.size() != block.batches->size()) return refuse("has not all its batches");
    for (std::size_t i = 0; i < content.batches.size(); ++i)
        if (types::digest_of(chain.chain, *content.batches[i]) != (*block.batches)[i])
            return refuse("has a batch that it does not name, at place " + std::to_string(i));
    return {};
}

class StateMachine final : public interfaces::Application {
public:
    explicit StateMachine(atomo::Writer<Tables> writer)
        : writer_(std::move(writer)), reader_(writer_.reader()) {}

    Result<interfaces::ExecutedBlock> execute(const interfaces::BlockContent& content) override {
        DRACO_TRY(committed,
                  writer_.commit([&](Writes& writes) { return apply(content, writes); }));
        interfaces::ExecutedBlock executed = std::move(committed.value);
        executed.state_root = types::StateRoot(committed.root.bytes);
        return executed;
    }

    Result<> sync() override { return writer_.sync(); }

    Result<std::shared_ptr<const interfaces::StateView>> view() const override {
        auto snapshot = reader_.snapshot();
        DRACO_TRY(chain, read_chain(snapshot));
        return std::make_shared<const View>(std::move(snapshot), std::move(chain));
    }

    Result<types::TransactionHash> admit(ByteView bytes,
                                         std::uint64_t nonces_ahead_max) const override {
        const auto snapshot = reader_.snapshot();
        DRACO_TRY(chain, read_chain(snapshot));
        const auto checked = check_transaction(chain.chain, bytes);
        if (!checked) return refused(checked.error().why);
        const types::Transaction& transaction = checked->content.transaction;
        types::Nonce used;
        if (const auto* address = std::get_if<types::Address>(&transaction.sender)) {
            DRACO_TRY(stored, snapshot.get(kAccounts, *address));
            const Account account = stored.value_or(Account{});
            used = account.nonce;
            if (const auto refusal = fee_refusal(chain.parameters, *checked, account))
                return refused(*refusal);
        } else {
            DRACO_TRY(node, snapshot.get(kNodes, std::get<types::NodeKey>(transaction.sender)));
            if (!node) return refused(types::Refusal::UnknownNode);
            used = node->nonce;
        }
        const std::uint64_t nonce = transaction.nonce.value();
        if (nonce <= used.value() || nonce - used.value() > nonces_ahead_max)
            return fail(Errc::InvalidArgument,
                        "the transaction has nonce " + std::to_string(nonce) +
                            "; the sender's next one is " + std::to_string(used.value() + 1) +
                            ", and at most " + std::to_string(nonces_ahead_max) +
                            " may be under way");
        return checked->hash;
    }

private:
    static std::unexpected<Error> refused(types::Refusal why) {
        const bool forged = why == types::Refusal::BadSignature;
        return fail(forged ? Errc::Unauthenticated : Errc::InvalidArgument,
                    "the transaction is refused: " + std::string(types::to_string(why)));
    }

    static Result<interfaces::ExecutedBlock> apply(const interfaces::BlockContent& content,
                                                   Writes& writes) {
        DRACO_TRY(found, writes.get(kChain, kChainKey));
        if (!found) return fail(Errc::Corrupt, "the state has no chain record");
        ChainRecord chain = *std::move(found);
        DRACO_TRY_VOID(check_extends(chain, content));
        interfaces::ExecutedBlock executed;
        executed.head = {content.block.height, content.digest, content.block.timestamp};

        WorkingState state(writes, chain);
        BlockExecution execution(state, executed.head.height, executed.head.timestamp);
        for (const auto& batch : content.batches)
            for (const ByteView bytes : batch->transactions) {
                DRACO_TRY(outcome, execution.run(bytes));
                if (const auto* receipt = std::get_if<types::Receipt>(&outcome.outcome))
                    DRACO_TRY_VOID(writes.put(kReceipts, outcome.hash.value(), *receipt));
                executed.transactions.push_back(outcome);
            }
        DRACO_TRY_VOID(state.write_to(writes));
        chain.supply = state.supply();
        chain.pot = state.pot();
        chain.epoch.end_signals = state.end_signals();
        chain.head = executed.head;
        DRACO_TRY(next, after_transactions(chain, writes));
        executed.next_committee = std::move(next);
        DRACO_TRY_VOID(writes.put(kChain, kChainKey, chain));
        return executed;
    }

    // What time brings about. The committee of the next epoch, if this one is over.
    static Result<std::optional<types::Committee>> after_transactions(ChainRecord& chain,
                                                                      Writes& writes) {
        WorkingState state(writes, chain);
        DRACO_TRY_VOID(end_due_lanes(writes, state, chain.head.timestamp));
        DRACO_TRY(over, epoch_is_over(chain));
        if (over) DRACO_TRY_VOID(pay_out_epoch(writes, state));
        DRACO_TRY_VOID(state.write_to(writes));
        chain.supply = state.supply();
        chain.pot = state.pot();
        if (!over) return std::nullopt;
        DRACO_TRY(next, change_epoch(chain.head, chain, writes));
        return std::move(next);
    }

    atomo::Writer<Tables> writer_;
    const atomo::Reader<Tables> reader_;
};

// Precondition: check(genesis).
Result<> apply_genesis(const types::Genesis& genesis, Writes& writes) {
    ChainRecord chain{.chain = genesis.chain,
                      .genesis = types::digest_of(genesis.chain, genesis),
                      .parameters = genesis.parameters,
                      .head = {.timestamp = genesis.time},
                      .epoch = {.started = genesis.time},
                      .supply = {}};
    for (const auto& [address, flk, usd] : *genesis.accounts) {
        DRACO_TRY_VOID(writes.put(kAccounts, address, Account{.flk = flk, .usd = usd}));
        chain.supply.flk = chain.supply.flk.plus(flk).value();
        chain.supply.usd = chain.supply.usd.plus(usd).value();
    }
    for (const auto& [commodity, price] : *genesis.prices)
        DRACO_TRY_VOID(writes.put(kPrices, commodity, price));
    for (const auto& [id, service] : *genesis.services)
        DRACO_TRY_VOID(writes.put(kServices, id, service));
    std::vector<Candidate> candidates;
    for (const auto& [key, owner, stake, endpoints] : *genesis.nodes) {
        const bool serves = stake >= genesis.parameters.stake_min;
        const auto participation =
            serves ? types::Participation::Active : types::Participation::None;
        DRACO_TRY_VOID(writes.put(kNodes,
                                  key,
                                  NodeRecord{.owner = owner,
                                             .stake = stake,
                                             .participation = participation,
                                             .endpoints = endpoints}));
        chain.supply.flk = chain.supply.flk.plus(stake).value();
        if (serves) candidates.push_back({key, stake});
    }
    auto members = draw_committee(genesis.chain,
                                  types::BlockDigest(chain.genesis.bytes),
                                  std::move(candidates),
                                  genesis.parameters.committee_size_max);
    DRACO_TRY(keys, types::CommitteeKeys::make(std::move(members)));
    chain.epoch.committee = keys;
    DRACO_TRY_VOID(writes.put(kCommittees, chain.epoch.epoch, chain.epoch.committee));
    return writes.put(kChain, kChainKey, chain);
}

}  // namespace

Result<std::unique_ptr<interfaces::Application>> open(std::unique_ptr<atomo::Storage> storage,
                                                      const types::Genesis& genesis) {
    DRACO_TRY_VOID(check(genesis));
    DRACO_TRY(writer, atomo::open_database<Tables>(std::move(storage)));
    DRACO_TRY(stored, writer.reader().snapshot().get(kChain, kChainKey));
    if (!stored) {
        DRACO_TRY_VOID(
            writer.commit([&](Writes& writes) { return apply_genesis(genesis, writes); }));
        DRACO_TRY_VOID(writer.sync());
    } else if (const auto expected = types::digest_of(genesis.chain, genesis);
               stored->genesis != expected) {
        return fail(Errc::InvalidArgument,
                    "the state is of the chain with genesis " + to_hex(stored->genesis.view()) +
                        ", not " + to_hex(expected.view()) +
                        "; give this node that chain's "
                        "genesis, or another home");
    }
    return std::make_unique<StateMachine>(std::move(writer));
}

}  // namespace draco::application
