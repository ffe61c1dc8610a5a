#pragma once
// What an account does on the chain: account balance|transfer, stake add|remove|withdraw|status.

#include "invocation.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace draco {

struct SenderOptions {
    std::string account;  // the name of a key of the home; empty: "default"
    std::optional<std::uint32_t> dev_account;
    std::string password_file;
    std::string fee_max;  // FLK; empty: what the chain's parameters say, with room
    bool no_wait = false;
};

struct AccountOptions {
    SenderOptions sender;
    std::string address;  // balance: empty is the sender's
    std::string amount;
    bool usd = false;
};

Result<> run_account_balance(const Invocation& invocation, const AccountOptions& options);
Result<> run_account_transfer(const Invocation& invocation, const AccountOptions& options);

struct StakeOptions {
    SenderOptions sender;
    std::string node;  // empty: the home's
    std::string amount;
};

Result<> run_stake_add(const Invocation& invocation, const StakeOptions& options);
Result<> run_stake_remove(const Invocation& invocation, const StakeOptions& options);
Result<> run_stake_withdraw(const Invocation& invocation, const StakeOptions& options);
// Also of opt status: the record says both.
Result<> run_stake_status(const Invocation& invocation, const StakeOptions& options);

}  // namespace draco
