#include "working_state.hpp"

#include "draco/base/assert.hpp"

namespace draco::application {
namespace {

// Sums modulo 2^128: differences of totals are exact whatever the totals.
struct Held {
    unsigned __int128 flk = 0;
    unsigned __int128 usd = 0;

    void add(const types::Account& account) {
        flk += account.flk.units;
        usd += account.usd.units;
    }

    void add(const std::optional<types::NodeRecord>& node) {
        if (!node) return;
        flk += node->stake.units;
        if (node->unbonding) flk += node->unbonding->amount.units;
    }
};

}  // namespace

WorkingState::WorkingState(const Writes& committed, const ChainRecord& chain)
    : committed_(committed), chain_(chain) {
    block_.supply = chain.supply;
    block_.end_signals = chain.epoch.end_signals;
    begin_step();
}

void WorkingState::begin_step() {
    step_.accounts.clear();
    step_.nodes.clear();
    step_.supply = block_.supply;
    step_.end_signals = block_.end_signals;
}

Result<types::Account> WorkingState::account_before(const types::Address& address) const {
    if (const auto changed = block_.accounts.find(address); changed != block_.accounts.end())
        return changed->second;
    DRACO_TRY(stored, committed_.get(kAccounts, address));
    return stored.value_or(types::Account{});
}

Result<std::optional<types::NodeRecord>> WorkingState::node_before(
    const types::NodeKey& key) const {
    if (const auto changed = block_.nodes.find(key); changed != block_.nodes.end())
        return changed->second;
    return committed_.get(kNodes, key);
}

Result<types::Account> WorkingState::account(const types::Address& address) const {
    if (const auto changed = step_.accounts.find(address); changed != step_.accounts.end())
        return changed->second;
    return account_before(address);
}

Result<std::optional<types::NodeRecord>> WorkingState::node(const types::NodeKey& key) const {
    if (const auto changed = step_.nodes.find(key); changed != step_.nodes.end())
        return changed->second;
    return node_before(key);
}

void WorkingState::set(const types::Address& address, const types::Account& account) {
    step_.accounts.insert_or_assign(address, account);
}

void WorkingState::set(const types::NodeKey& key, const types::NodeRecord& node) {
    step_.nodes.insert_or_assign(key, node);
}

void WorkingState::burn(types::FlkAmount amount) {
    const auto left = step_.supply.flk.minus(amount);
    const auto burned = step_.supply.flk_burned.plus(amount);
    DRACO_ASSERT(left && burned, "what is burned is part of the supply");
    step_.supply.flk = *left;
    step_.supply.flk_burned = *burned;
}

void WorkingState::signal_end(types::AuthorityIndex member) {
    step_.end_signals.insert(member);
}

Result<> WorkingState::keep() {
    Held before;
    Held after;
    for (const auto& [address, account] : step_.accounts) {
        DRACO_TRY(old, account_before(address));
        before.add(old);
        after.add(account);
    }
    for (const auto& [key, node] : step_.nodes) {
        DRACO_TRY(old, node_before(key));
        before.add(old);
        after.add(node);
    }
    DRACO_ASSERT(after.flk - before.flk == step_.supply.flk.units - block_.supply.flk.units,
                 "FLK neither appears nor vanishes");
    DRACO_ASSERT(after.usd - before.usd == step_.supply.usd.units - block_.supply.usd.units,
                 "USD neither appears nor vanishes");
    for (const auto& [address, account] : step_.accounts)
        block_.accounts.insert_or_assign(address, account);
    for (const auto& [key, node] : step_.nodes) block_.nodes.insert_or_assign(key, node);
    block_.supply = step_.supply;
    block_.end_signals = step_.end_signals;
    begin_step();
    return {};
}

void WorkingState::discard() {
    begin_step();
}

Result<> WorkingState::write_to(Writes& writes) const {
    DRACO_ASSERT(step_.accounts.empty() && step_.nodes.empty(), "each step is kept or discarded");
    for (const auto& [address, account] : block_.accounts)
        DRACO_TRY_VOID(writes.put(kAccounts, address, account));
    for (const auto& [key, node] : block_.nodes) DRACO_TRY_VOID(writes.put(kNodes, key, node));
    return {};
}

}  // namespace draco::application
