#include "load_plan.hpp"

#include "draco/base/assert.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/sha2.hpp"

#include <string>

namespace draco {
namespace {

constexpr std::string_view kSeed = "draco devnet load";
constexpr std::uint64_t kFeeBytes = 512;  // more than a transfer takes
constexpr std::uint64_t kAmounts = 997;   // different amounts, so that a swap of two shows
// A transfer moves at most 0.000997 FLK or 0.000997 USD.
constexpr types::FlkAmount kFlkStep{1'000'000'000'000};
constexpr types::UsdAmount kUsdStep{1};

// Bounded far below 2^128 by kLoadTransfersMax and the steps above.
template <class Amount>
Amount must(std::optional<Amount> amount) {
    DRACO_ASSERT(amount.has_value(), "amounts of a load are small");
    return *amount;
}

Result<types::AccountSecretKey> account_key(types::ChainId chain, std::size_t account) {
    const std::string text =
        std::string(kSeed) + " " + std::to_string(chain.value()) + " " + std::to_string(account);
    const crypto::Sha256Digest digest = crypto::sha256(as_bytes(text));
    return types::AccountSecretKey::from_scalar(crypto::Secp256k1Scalar(digest.bytes));
}

std::uint64_t factor(std::size_t account, std::uint64_t step) {
    return 1 + ((account * 31) + (step * 7)) % kAmounts;
}

bool is_usd(std::size_t account, std::uint64_t step) {
    return (account + step) % 2 == 1;
}

}  // namespace

Result<LoadPlan> LoadPlan::make(types::ChainId chain,
                                const types::ChainParameters& parameters,
                                std::size_t accounts) {
    if (accounts < 2 || accounts > kLoadAccountsMax)
        return fail(Errc::InvalidArgument,
                    "a load has 2 to " + std::to_string(kLoadAccountsMax) + " accounts");
    LoadPlan plan;
    plan.parameters_ = parameters;
    plan.fee_max_ = plan.fee(kFeeBytes);
    for (std::size_t i = 0; i < accounts; ++i) {
        DRACO_TRY(key, account_key(chain, i));
        plan.addresses_.push_back(crypto::ethereum_address(key.public_key()));
        plan.keys_.emplace_back(chain, identity::SecretKey(std::move(key)));
    }
    return plan;
}

std::size_t LoadPlan::receiver(std::size_t account, std::uint64_t step) const {
    const std::size_t others = accounts() - 1;
    return (account + 1 + (step % others)) % accounts();
}

types::Method LoadPlan::method(std::size_t account, std::uint64_t step) const {
    const types::Address& to = addresses_[receiver(account, step)];
    const std::uint64_t times = factor(account, step);
    if (is_usd(account, step))
        return types::TransferUsd{.to = to, .amount = must(kUsdStep.times(times))};
    return types::TransferFlk{.to = to, .amount = must(kFlkStep.times(times))};
}

identity::SignedBytes LoadPlan::sign(std::size_t account,
                                     std::uint64_t step,
                                     types::Nonce nonce) const {
    return keys_[account].sign(nonce, fee_max_, method(account, step));
}

Holdings LoadPlan::needed(std::uint64_t steps) const {
    const auto each = must(fee_max_.plus(must(kFlkStep.times(kAmounts))));
    return {.flk = must(each.times(steps)), .usd = must(kUsdStep.times(kAmounts * steps))};
}

types::FlkAmount LoadPlan::fee(std::size_t bytes) const {
    return must(parameters_.fee_base.plus(must(parameters_.fee_per_byte.times(bytes))));
}

void LoadPlan::apply(std::size_t account,
                     std::uint64_t step,
                     std::size_t bytes,
                     std::vector<Holdings>& all) const {
    Holdings& from = all[account];
    Holdings& to = all[receiver(account, step)];
    from.flk = must(from.flk.minus(fee(bytes)));
    const std::uint64_t times = factor(account, step);
    if (is_usd(account, step)) {
        const auto amount = must(kUsdStep.times(times));
        from.usd = must(from.usd.minus(amount));
        to.usd = must(to.usd.plus(amount));
    } else {
        const auto amount = must(kFlkStep.times(times));
        from.flk = must(from.flk.minus(amount));
        to.flk = must(to.flk.plus(amount));
    }
}

}  // namespace draco
