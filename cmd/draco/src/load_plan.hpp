#pragma once
// What a load moves: transfers of FLK and USD around a ring of accounts whose keys anybody can
// derive. Every transfer of it succeeds in whatever order the accounts' transactions interleave,
// so what each account holds at the end is a plain sum.

#include "draco/base/result.hpp"
#include "draco/identity/transaction_key.hpp"
#include "draco/types/genesis.hpp"

#include <cstdint>
#include <vector>

namespace draco {

inline constexpr std::size_t kLoadAccountsMax = 1000;
inline constexpr std::uint64_t kLoadTransfersMax = 10'000'000;

struct Holdings {
    types::FlkAmount flk{};
    types::UsdAmount usd{};

    bool operator==(const Holdings&) const = default;
};

class LoadPlan {
public:
    // InvalidArgument beyond the bounds above.
    static Result<LoadPlan> make(types::ChainId chain,
                                 const types::ChainParameters& parameters,
                                 std::size_t accounts);

    std::size_t accounts() const { return keys_.size(); }

    const types::Address& address(std::size_t account) const { return addresses_[account]; }

    // The step-th transfer of an account, from 0. The same arguments give the same bytes.
    identity::SignedBytes sign(std::size_t account, std::uint64_t step, types::Nonce nonce) const;
    // What an account needs for `steps` transfers if nobody pays it anything.
    Holdings needed(std::uint64_t steps) const;

    types::FlkAmount fee_max() const { return fee_max_; }

    // Of a transaction of so many bytes.
    types::FlkAmount fee(std::size_t bytes) const;
    // Books an executed transfer.
    void apply(std::size_t account,
               std::uint64_t step,
               std::size_t bytes,
               std::vector<Holdings>& all) const;

private:
    LoadPlan() = default;

    types::Method method(std::size_t account, std::uint64_t step) const;
    std::size_t receiver(std::size_t account, std::uint64_t step) const;

    types::ChainParameters parameters_;
    types::FlkAmount fee_max_;
    std::vector<identity::TransactionKey> keys_;
    std::vector<types::Address> addresses_;
};

}  // namespace draco
