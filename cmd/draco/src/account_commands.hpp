#pragma once
// What an account does on the chain: account balance|transfer, stake add|remove|withdraw|status.

#include "account_sender.hpp"
#include "invocation.hpp"

#include <string>

namespace draco {

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
