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

    void add(const types::NodeRecord& node) {
        flk += node.stake.units;
        if (node.unbonding) flk += node.unbonding->amount.units;
    }

    void add(const types::Lane& lane) { usd += lane.reserve.units; }
};

// What the entries held that the step has changed, before it and after.
template <class T>
Result<> add_changed(const LayeredTable<T>& table,
                     const Writes& committed,
                     Held& before,
                     Held& after) {
    for (const auto& [key, value] : table.step()) {
        DRACO_TRY(old, table.before(committed, key));
        if (old) before.add(*old);
        if (value) after.add(*value);
    }
    return {};
}

template <class T>
using LayerOf = LayeredTable<std::remove_cvref_t<T>>;

}  // namespace

WorkingState::WorkingState(const Writes& committed, const ChainRecord& chain)
    : committed_(committed), chain_(chain) {
    block_ = {.supply = chain.supply, .end_signals = chain.epoch.end_signals, .pot = chain.pot};
    step_ = block_;
}

Result<types::Account> WorkingState::account(const types::Address& address) const {
    DRACO_TRY(found, get(kAccounts, address));
    return found.value_or(types::Account{});
}

Result<types::NodeRevenue> WorkingState::revenue(const types::NodeKey& node) const {
    DRACO_TRY(found, get(kNodeRevenues, {chain_.epoch.epoch, node}));
    return found.value_or(types::NodeRevenue{});
}

Result<types::UsdAmount> WorkingState::revenue(types::ServiceId service) const {
    DRACO_TRY(found, get(kServiceRevenues, service));
    return found.value_or(types::UsdAmount{});
}

void WorkingState::set(const types::LaneKey& key, const types::Lane& lane) {
    put(kLanes, key, lane);
    if (lane.closes) put(kLaneEnds, {*lane.closes, key}, lane.instance);
}

void WorkingState::end(const types::LaneKey& key, const types::Lane& lane) {
    DRACO_ASSERT(lane.closes, "a lane ends that was closed");
    put(kLanes, key, std::nullopt);
    put(kLaneEnds, {*lane.closes, key}, std::nullopt);
}

void WorkingState::set(const types::NodeKey& node, const types::NodeRevenue& revenue) {
    put(kNodeRevenues, {chain_.epoch.epoch, node}, revenue);
}

void WorkingState::set(types::ServiceId service, types::UsdAmount revenue) {
    put(kServiceRevenues, service, revenue);
}

void WorkingState::burn(types::FlkAmount amount) {
    const auto left = step_.supply.flk.minus(amount);
    const auto burned = step_.supply.flk_burned.plus(amount);
    DRACO_ASSERT(left && burned, "what is burned is part of the supply");
    step_.supply.flk = *left;
    step_.supply.flk_burned = *burned;
}

void WorkingState::emit(types::FlkAmount amount) {
    const auto more = step_.supply.flk.plus(amount);
    const auto emitted = step_.supply.flk_emitted.plus(amount);
    DRACO_ASSERT(more && emitted && *emitted <= step_.supply.flk_burned,
                 "no more is emitted than was burned");
    step_.supply.flk = *more;
    step_.supply.flk_emitted = *emitted;
}

void WorkingState::signal_end(types::AuthorityIndex member) {
    step_.end_signals.insert(member);
}

Result<> WorkingState::keep() {
    Held before{.usd = block_.pot.units};
    Held after{.usd = step_.pot.units};
    DRACO_TRY_VOID(
        add_changed(std::get<LayerOf<decltype(kAccounts)>>(layers_), committed_, before, after));
    DRACO_TRY_VOID(
        add_changed(std::get<LayerOf<decltype(kNodes)>>(layers_), committed_, before, after));
    DRACO_TRY_VOID(
        add_changed(std::get<LayerOf<decltype(kLanes)>>(layers_), committed_, before, after));
    DRACO_ASSERT(after.flk - before.flk == step_.supply.flk.units - block_.supply.flk.units,
                 "FLK neither appears nor vanishes");
    DRACO_ASSERT(after.usd - before.usd == step_.supply.usd.units - block_.supply.usd.units,
                 "USD neither appears nor vanishes");
    std::apply([](auto&... table) { (table.keep(), ...); }, layers_);
    block_ = step_;
    return {};
}

void WorkingState::discard() {
    std::apply([](auto&... table) { (table.discard(), ...); }, layers_);
    step_ = block_;
}

Result<> WorkingState::write_to(Writes& writes) const {
    return std::apply(
        [&](const auto&... table) {
            DRACO_ASSERT((table.step().empty() && ...), "each step is kept or discarded");
            Result<> written;
            static_cast<void>(((written = table.write_to(writes)).has_value() && ...));
            return written;
        },
        layers_);
}

}  // namespace draco::application
