// Money and stake, and what the chain says.
#include "account_pending.hpp"
#include "argument_checks.hpp"
#include "chain_commands.hpp"
#include "command_frame.hpp"

#include <cstdint>

namespace draco {
namespace {

void add_account(CommandLine& line) {
    CLI::App* account = group(line, "account", "Money");
    CLI::App* balance = command(line, account, "balance", "What an account holds", [&line] {
        return run_account_balance(line.invocation, line.account);
    });
    balance->add_option("ADDRESS", line.account.address, "whose; without it, the own")
        ->check(address());
    add_sender(balance, line.account.sender);
    CLI::App* transfer = command(
        line,
        account,
        "transfer",
        "Send FLK or stablecoin",
        [&line] { return run_account_transfer(line.invocation, line.account); },
        [&line]() -> Result<> {
            const auto sound =
                line.account.usd ? check_usd(line.account.amount) : check_flk(line.account.amount);
            if (sound) return {};
            return fail(sound.error().code, "AMOUNT: " + sound.error().context);
        });
    transfer->add_option("TO", line.account.address, "the address")->required()->check(address());
    transfer->add_option("AMOUNT", line.account.amount, "in whole tokens, such as 1.5")->required();
    transfer->add_flag("--usd", line.account.usd, "stablecoin instead of FLK");
    add_transaction(transfer, line.account.sender);
    CLI::App* pending =
        command(line, account, "pending", "What was signed here and is not executed", [&line] {
            return run_account_pending(line.invocation, line.account.sender);
        });
    add_sender(pending, line.account.sender);
}

void add_stake(CommandLine& line) {
    CLI::App* stake = group(line, "stake", "FLK behind a node");
    CLI::App* add = command(line, stake, "add", "Lock FLK behind a node", [&line] {
        return run_stake_add(line.invocation, line.stake);
    });
    CLI::App* remove = command(line, stake, "remove", "Begin to release it", [&line] {
        return run_stake_remove(line.invocation, line.stake);
    });
    CLI::App* withdraw = command(line, stake, "withdraw", "Take what is released", [&line] {
        return run_stake_withdraw(line.invocation, line.stake);
    });
    CLI::App* status = command(line, stake, "status", "What the chain knows of a node", [&line] {
        return run_stake_status(line.invocation, line.stake);
    });
    for (CLI::App* each : {add, remove})
        each->add_option("AMOUNT", line.stake.amount, "FLK, such as 1000")
            ->required()
            ->check(some_flk());
    for (CLI::App* each : {add, remove, withdraw}) add_transaction(each, line.stake.sender);
    for (CLI::App* each : {add, remove, withdraw, status})
        each->add_option("--stake-node", line.stake.node, "the node's key; without it, the home's")
            ->check(node_key());
}

void add_lane(CommandLine& line) {
    CLI::App* lane = group(line, "lane", "Money held for what one node delivers");
    CLI::App* open = command(line, lane, "open", "Hold USD for a node", [&line] {
        return run_lane_open(line.invocation, line.lane);
    });
    CLI::App* topup = command(line, lane, "topup", "Hold more", [&line] {
        return run_lane_topup(line.invocation, line.lane);
    });
    CLI::App* close =
        command(line, lane, "close", "End it when the challenge time is over", [&line] {
            return run_lane_close(line.invocation, line.lane);
        });
    CLI::App* show = command(line, lane, "show", "One lane, or all of an account", [&line] {
        return run_lane_show(line.invocation, line.lane);
    });
    for (CLI::App* each : {open, topup, close, show}) {
        CLI::Option* node =
            each->add_option("NODE-KEY", line.lane.node, "the node's key")->check(node_key());
        if (each != show) node->required();
        each->add_option("--lane", line.lane.lane, "tells lanes to one node apart (0)")
            ->check(CLI::Range(0, 65'535));
    }
    for (CLI::App* each : {open, topup})
        each->add_option("AMOUNT", line.lane.amount, "USD, such as 1.5")
            ->required()
            ->check(some_usd());
    for (CLI::App* each : {open, topup, close}) add_transaction(each, line.lane.sender);
    open->add_option("--service", line.lane.service, "that delivers (0)")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{UINT32_MAX}))
        ->check(whole_number());
    open->add_option("--session-key",
                     line.lane.session_key,
                     "the client's public key, whose acknowledgements spend the money; without it, "
                     "the one that "
                     "draco get --pay uses")
        ->check(session_key());
    show->add_option("--payer", line.lane.payer, "whose; without it, the own")->check(address());
    add_sender(show, line.lane.sender);
}

void add_opt(CommandLine& line) {
    CLI::App* opt = group(line, "opt", "Whether the node of the home takes part");
    CLI::App* in = command(line, opt, "in", "Take part from the next epoch on", [&line] {
        return run_opt_in(line.invocation, line.opt);
    });
    CLI::App* out = command(line, opt, "out", "Leave at the end of this epoch", [&line] {
        return run_opt_out(line.invocation, line.opt);
    });
    for (CLI::App* each : {in, out}) {
        each->add_flag("--wait", line.opt.wait, "return when it has taken effect");
        each->add_option("--timeout", line.opt.patience_s, "seconds that --wait lasts at most")
            ->check(CLI::Range(1, 1'000'000));
    }
    CLI::App* status = command(line, opt, "status", "What the chain knows of the node", [&line] {
        return run_stake_status(line.invocation, line.stake);
    });
    status->add_option("--stake-node", line.stake.node, "the node's key; without it, the home's")
        ->check(node_key());
}

void add_chain(CommandLine& line) {
    command(line, &line.app, "epoch", "The epoch that runs", [&line] {
        return run_epoch(line.invocation);
    });
    command(line, &line.app, "committee", "Who orders transactions in it", [&line] {
        return run_committee(line.invocation);
    });
    command(line, &line.app, "prices", "What delivery costs, and who sells it", [&line] {
        return run_prices(line.invocation);
    });
    CLI::App* tx = command(line, &line.app, "tx", "What became of a transaction", [&line] {
        return run_tx(line.invocation, line.transaction);
    });
    tx->add_option("HASH", line.transaction, "of the transaction, in hex")
        ->required()
        ->check(transaction_hash());
}

}  // namespace

void add_chain_commands(CommandLine& line) {
    add_account(line);
    add_stake(line);
    add_lane(line);
    add_opt(line);
    add_chain(line);
}

}  // namespace draco
