#include "draco/application/application.hpp"

namespace draco::application {
namespace {

constexpr std::size_t kPageEntries = 1024;

template <class Amount>
Result<> add(Amount& total, Amount amount) {
    const auto sum = total.plus(amount);
    if (!sum) return fail(Errc::Corrupt, "the holdings add up to more than fits");
    total = *sum;
    return {};
}

// Visits all entries, page by page. `next(after)` gives the page behind a key.
template <class Key, class Next, class Visit>
Result<> for_each(Next next, Visit visit) {
    std::optional<Key> after;
    while (true) {
        DRACO_TRY(page, next(after));
        if (page.empty()) return {};
        for (const auto& [key, value] : page) DRACO_TRY_VOID(visit(value));
        after = page.back().first;
    }
}

template <class Amount>
Result<> compare(Amount held, Amount supply, std::string_view symbol) {
    if (held == supply) return {};
    return fail(Errc::Corrupt,
                "holdings of " + types::to_text(held) + " " + std::string(symbol) +
                    "; the supply is " + types::to_text(supply));
}

}  // namespace

Result<> audit(const interfaces::StateView& state) {
    types::FlkAmount flk;
    types::UsdAmount usd;
    DRACO_TRY_VOID(for_each<types::Address>(
        [&](const auto& after) { return state.accounts(after, kPageEntries); },
        [&](const types::Account& account) -> Result<> {
            DRACO_TRY_VOID(add(flk, account.flk));
            return add(usd, account.usd);
        }));
    DRACO_TRY_VOID(for_each<types::NodeKey>(
        [&](const auto& after) { return state.nodes(after, kPageEntries); },
        [&](const types::NodeRecord& node) -> Result<> {
            DRACO_TRY_VOID(add(flk, node.stake));
            return node.unbonding ? add(flk, node.unbonding->amount) : Result<>{};
        }));
    DRACO_TRY_VOID(for_each<types::LaneKey>(
        [&](const auto& after) { return state.lanes(after, kPageEntries); },
        [&](const types::Lane& lane) { return add(usd, lane.reserve); }));
    DRACO_TRY_VOID(add(usd, state.revenue_pot()));
    DRACO_TRY_VOID(compare(flk, state.supply().flk, types::Flk::kSymbol));
    return compare(usd, state.supply().usd, types::Usd::kSymbol);
}

}  // namespace draco::application
