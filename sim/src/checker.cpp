#include "checker.hpp"

#include "draco/application/application.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"

#include <variant>

namespace draco::sim {
namespace {

std::string at(std::uint64_t height, std::size_t node) {
    return " at height " + std::to_string(height) + ", node " + std::to_string(node);
}

}  // namespace

Checker::Checker(const Population& population, PlantedBug bug)
    : bug_(bug), payees_(population.payees) {
    for (const types::GenesisAccount& account : *population.genesis.accounts)
        purses_[account.address] = {account.flk, account.usd, {}};
}

void Checker::fail_with(std::string what) {
    if (!violation_) violation_ = std::move(what);
}

void Checker::executed(std::size_t node, std::uint64_t life, const interfaces::LedgerBlock& block) {
    const std::uint64_t height = block.content.block.height.value();
    auto digest = block.content.digest;
    if (bug_ == PlantedBug::ForkedState && node == 1 && height > 3) digest = {};

    auto [reported, first] = reported_.try_emplace({node, life}, height);
    if (!first && height != ++reported->second)
        fail_with("a node executed height " + std::to_string(height) + " after " +
                  std::to_string(reported->second - 1) + at(height, node));
    reported->second = height;

    const auto agreed = heights_.find(height);
    if (agreed == heights_.end()) {
        if (height != this->height() + 1) fail_with("a height was left out" + at(height, node));
        heights_[height] = {digest, block.result.state_root};
        apply(block);
        return;
    }
    if (agreed->second.digest != digest) fail_with("two blocks" + at(height, node));
    if (agreed->second.root != block.result.state_root)
        fail_with("two state roots" + at(height, node));
}

void Checker::apply(const interfaces::LedgerBlock& block) {
    if (block.result.next_committee) ++epochs_;
    std::size_t index = 0;
    for (const auto& batch : block.content.batches)
        for (const ByteView bytes : batch->transactions) {
            if (index == block.result.transactions.size())
                return fail_with("a block has fewer outcomes than transactions");
            const interfaces::TransactionOutcome& outcome = block.result.transactions[index++];
            const auto* receipt = std::get_if<types::Receipt>(&outcome.outcome);
            if (receipt == nullptr) continue;
            const auto decoded = bcs::decode<types::SignedTransaction>(bytes);
            if (!decoded) return fail_with("bytes that do not decode were executed");
            apply(*decoded, *receipt);
        }
}

void Checker::apply(const types::SignedTransaction& transaction, const types::Receipt& receipt) {
    const auto* sender = std::get_if<types::Address>(&transaction.transaction.sender);
    if (sender == nullptr) return;
    Purse& from = purses_[*sender];
    if (transaction.transaction.nonce.value() != from.nonce.value() + 1)
        fail_with("a nonce was executed twice, or out of turn");
    from.nonce = transaction.transaction.nonce;
    const auto paid = from.flk.minus(receipt.fee);
    if (!paid) return fail_with("a fee was more than the sender had");
    from.flk = *paid;
    if (receipt.revert != types::Revert::None) return;
    const auto move = [&](auto Purse::* token, const types::Address& to, auto amount) {
        const auto left = (from.*token).minus(amount);
        if (!left) return fail_with("more was transferred than the sender had");
        from.*token = *left;
        const auto sum = (purses_[to].*token).plus(amount);
        if (!sum) return fail_with("a balance overflowed");
        purses_[to].*token = *sum;
        ++transfers_;
    };
    if (const auto* flk = std::get_if<types::TransferFlk>(&transaction.transaction.method))
        move(&Purse::flk, flk->to, flk->amount);
    else if (const auto* usd = std::get_if<types::TransferUsd>(&transaction.transaction.method))
        move(&Purse::usd, usd->to, usd->amount);
    else if (const auto* open = std::get_if<types::OpenLane>(&transaction.transaction.method))
        open_lane(*sender, from, *open);
    else
        fail_with("a method was executed that no client sent");
}

void Checker::open_lane(const types::Address& payer, Purse& from, const types::OpenLane& opened) {
    const auto left = from.usd.minus(opened.reserve);
    if (!left) return fail_with("a lane holds more than its payer had");
    from.usd = *left;
    const types::LaneKey key{.payer = payer, .node = opened.node, .index = opened.lane};
    if (!lanes_.try_emplace(key, types::LaneInstance(from.nonce.value()), opened.reserve).second)
        fail_with("a lane was opened twice");
}

std::optional<types::LaneInstance> Checker::lane_instance(const types::LaneKey& lane) const {
    const auto found = lanes_.find(lane);
    return found == lanes_.end() ? std::nullopt : std::optional(found->second.instance);
}

// What left the lanes is the price of what was settled, and all of it came to somebody.
Result<> Checker::check_revenue(std::size_t node, const interfaces::StateView& view) const {
    const auto wrong = [node](const std::string& what) {
        return fail(Errc::Corrupt, "node " + std::to_string(node) + ": " + what);
    };
    types::UsdAmount paid;
    for (const auto& [key, opened] : lanes_) {
        DRACO_TRY(lane, view.lane(key));
        if (!lane) return wrong("a lane has vanished");
        const auto left = opened.reserve.minus(lane->reserve);
        if (!left || left != types::cost(lane->price, lane->settled))
            return wrong("a lane has paid something else than the price of what was settled");
        paid = paid.plus(*left).value_or(paid);
    }
    types::UsdAmount received = view.revenue_pot();
    for (const types::Address& payee : payees_) {
        DRACO_TRY(account, view.account(payee));
        received = received.plus(account.usd).value_or(received);
    }
    if (paid == received) return {};
    return wrong("readers have paid " + types::to_text(paid) + " USD, and " +
                 types::to_text(received) + " USD have come to somebody");
}

types::Nonce Checker::executed_nonce(const types::Address& address) const {
    const auto purse = purses_.find(address);
    return purse == purses_.end() ? types::Nonce{} : purse->second.nonce;
}

Result<> Checker::check_books(std::size_t node, const interfaces::StateView& view) const {
    DRACO_TRY_VOID(application::audit(view));
    DRACO_TRY_VOID(check_revenue(node, view));
    std::size_t index = 0;
    for (const auto& [address, purse] : purses_) {
        DRACO_TRY(account, view.account(address));
        types::Account expected{.flk = purse.flk, .usd = purse.usd, .nonce = purse.nonce};
        if (bug_ == PlantedBug::MintedMoney && index++ == 0) ++expected.usd.units;
        if (account != expected)
            return fail(Errc::Corrupt,
                        "node " + std::to_string(node) + " has " + types::to_text(account.flk) +
                            " FLK and " + types::to_text(account.usd) +
                            " USD in an account, and the executed transfers come to " +
                            types::to_text(expected.flk) + " and " + types::to_text(expected.usd));
    }
    return {};
}

}  // namespace draco::sim
