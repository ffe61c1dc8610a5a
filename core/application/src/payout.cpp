#include "payout.hpp"

#include "draco/base/assert.hpp"

#include "revenue_split.hpp"

namespace draco::application {
namespace {

using types::Account;
using types::Address;

template <class Amount>
Result<> credit(WorkingState& state, const Address& to, Amount Account::* balance, Amount amount) {
    if (amount.is_zero()) return {};
    DRACO_TRY(account, state.account(to));
    const auto more = (account.*balance).plus(amount);
    DRACO_ASSERT(more, "a part of the supply fits, as the supply does");
    account.*balance = *more;
    state.set(to, account);
    return {};
}

Result<EpochEarnings> earnings_of(const Writes& committed, const ChainRecord& chain) {
    EpochEarnings earnings;
    earnings.burned = chain.supply.flk_burned.minus(chain.burned_at_start).value();
    auto nodes = committed.scan(kNodeRevenues, atomo::Range<RevenueKey>::prefix(chain.epoch.epoch));
    while (true) {
        DRACO_TRY(entry, nodes.next());
        if (!entry) break;
        earnings.nodes.emplace_back(entry->key.node, std::move(entry->value));
    }
    auto services = committed.scan(kServiceRevenues);
    while (true) {
        DRACO_TRY(entry, services.next());
        if (!entry) break;
        earnings.services.emplace_back(entry->key, entry->value);
    }
    return earnings;
}

// Revenues of nodes are kept for one epoch more.
Result<> forget_old_revenues(const Writes& committed, WorkingState& state) {
    auto old = committed.scan(kNodeRevenues,
                              atomo::Range<RevenueKey>::below({state.chain().epoch.epoch, {}}));
    while (true) {
        DRACO_TRY(entry, old.next());
        if (!entry) return {};
        state.forget(entry->key);
    }
}

Result<> pay_node(WorkingState& state, const types::NodeKey& key, const types::NodePayout& payout) {
    DRACO_TRY(node, state.node(key));
    DRACO_ASSERT(node, "who earns is known");
    DRACO_TRY_VOID(credit(state, node->owner, &Account::usd, payout.own));
    DRACO_TRY_VOID(credit(state, node->owner, &Account::usd, payout.from_peers));
    DRACO_TRY_VOID(credit(state, node->owner, &Account::flk, payout.flk));
    DRACO_TRY(revenue, state.revenue(key));
    revenue.payout = payout;
    state.set(key, revenue);
    return {};
}

}  // namespace

Result<> pay_out_epoch(Writes& writes, WorkingState& state) {
    const ChainRecord& chain = state.chain();
    DRACO_TRY(earnings, earnings_of(writes, chain));
    const RevenueSplit split = split_revenue(chain.parameters, earnings);
    DRACO_ASSERT(split.total.usd == state.pot(), "the pot is what all nodes earned");
    DRACO_TRY_VOID(forget_old_revenues(writes, state));
    state.emit(split.total.flk_emitted);
    for (const auto& [key, payout] : split.nodes) DRACO_TRY_VOID(pay_node(state, key, payout));
    for (const auto& [id, part] : split.builders) {
        DRACO_TRY(service, state.service(id));
        DRACO_ASSERT(service, "what earns is a service");
        DRACO_TRY_VOID(credit(state, service->builder, &Account::usd, part));
        state.forget(id);
    }
    DRACO_TRY_VOID(
        credit(state, chain.parameters.protocol_account, &Account::usd, split.total.protocol));
    state.set_pot({});
    DRACO_TRY_VOID(state.keep());
    return writes.put(kEpochRevenues, chain.epoch.epoch, split.total);
}

}  // namespace draco::application
