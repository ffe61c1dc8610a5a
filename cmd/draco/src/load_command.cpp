#include "load_command.hpp"

#include "draco/crypto/ethereum_address.hpp"
#include "draco/identity/account_nonces.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/io/system_clock.hpp"
#include "draco/node/devnet_genesis.hpp"
#include "draco/node/genesis_file.hpp"

#include "devnet_commands.hpp"
#include "load_audit.hpp"
#include "load_plan.hpp"
#include "progress.hpp"
#include "rounded.hpp"
#include "shown_text.hpp"
#include "transaction_sender.hpp"
#include "transaction_stream.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>

namespace draco {
namespace {

namespace json = boost::json;

constexpr Duration kAgreePatience = std::chrono::seconds(60);

struct Load {
    const LoadOptions& options;
    DevnetRecord devnet;
    types::Genesis genesis;
    types::GenesisDigest genesis_digest;
    LoadPlan plan;
    std::vector<std::uint64_t> steps;  // of each account, at most
    io::SystemClock clock;
};

std::uint64_t transfers_of(const LoadOptions& options) {
    if (options.seconds == 0) return options.transfers;
    if (options.rate_tps == 0) return kLoadTransfersMax;
    return std::min(kLoadTransfersMax, options.rate_tps * options.seconds + options.rate_tps);
}

Result<Load> prepare(const std::string& home, const LoadOptions& options) {
    DRACO_TRY(devnet, load_devnet_record(home));
    DRACO_TRY(disk, io::PosixDisk::open_root(home));
    DRACO_TRY(genesis, node::load_genesis(*disk));
    DRACO_TRY(plan, LoadPlan::make(genesis.chain, genesis.parameters, options.accounts));
    const std::uint64_t transfers = transfers_of(options);
    std::vector<std::uint64_t> steps(options.accounts, transfers / options.accounts);
    for (std::size_t i = 0; i < transfers % options.accounts; ++i) ++steps[i];
    const auto digest = types::digest_of(genesis.chain, genesis);
    return Load{.options = options,
                .devnet = std::move(devnet),
                .genesis = std::move(genesis),
                .genesis_digest = digest,
                .plan = std::move(plan),
                .steps = std::move(steps),
                .clock = {}};
}

// --- funding ---

// What the load accounts lack, as transfers of the development account that gives to them.
Result<std::vector<std::vector<types::Method>>> funding_of(const Load& load,
                                                           const LoadExpectation& now) {
    std::vector<std::vector<types::Method>> methods(node::kDevnetAccounts);
    for (std::size_t i = 0; i < load.plan.accounts(); ++i) {
        const Holdings needed = load.plan.needed(load.steps[i]);
        auto& from = methods[i % node::kDevnetAccounts];
        const types::Address& to = load.plan.address(i);
        if (const auto lack = needed.flk.minus(now.holdings[i].flk); lack && !lack->is_zero())
            from.emplace_back(types::TransferFlk{.to = to, .amount = *lack});
        if (const auto lack = needed.usd.minus(now.holdings[i].usd); lack && !lack->is_zero())
            from.emplace_back(types::TransferUsd{.to = to, .amount = *lack});
    }
    return methods;
}

Result<std::uint64_t> nonce_of(const Load& load, const std::string& address) {
    Result<std::uint64_t> nonce = fail(Errc::Unavailable, "the devnet has no nodes");
    for (const DevnetNodeRecord& node : load.devnet.nodes) {
        const RpcClient client(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
        const auto account = client.ask("flk_get_account_info", {address});
        nonce = account ? number_member(*account, "nonce") : std::unexpected(account.error());
        if (nonce) break;
    }
    return nonce;
}

// In the journal of the development account, as any other command would.
Result<StreamSource> funding_source(const NodeHome& home,
                                    const Load& load,
                                    std::uint32_t index,
                                    std::vector<types::Method> methods) {
    DRACO_TRY(secret, node::devnet_account(index));
    const types::Address sender = crypto::ethereum_address(secret.public_key());
    const std::string address = crypto::to_text(sender);
    const identity::TransactionKey key(load.genesis.chain, identity::SecretKey(std::move(secret)));
    DRACO_TRY(executed, nonce_of(load, address));
    DRACO_TRY(
        nonces,
        open_account_nonces(
            home, account_journal_path(load.genesis_digest, sender), key, load.genesis_digest));
    std::vector<identity::SignedBytes> all = nonces.not_executed(types::Nonce(executed));
    for (types::Method& method : methods) {
        DRACO_TRY(made,
                  nonces.sign(types::Nonce(executed), load.plan.fee_max(), std::move(method)));
        all.push_back(std::move(made));
    }
    StreamSource source{
        .address = address, .executed = types::Nonce(executed), .count = all.size(), .bytes = {}};
    source.bytes = [all = std::move(all)](std::uint64_t step) { return all[step].bytes; };
    return source;
}

Result<> fund(const NodeHome& home, const Load& load) {
    DRACO_TRY(now, holdings_now(load.devnet, load.plan));
    DRACO_TRY(methods, funding_of(load, now));
    std::vector<StreamSource> sources;
    for (std::uint32_t i = 0; i < node::kDevnetAccounts; ++i) {
        DRACO_TRY(source, funding_source(home, load, i, std::move(methods[i])));
        sources.push_back(std::move(source));
    }
    std::uint64_t total = 0;
    for (const StreamSource& source : sources) total += source.count;
    Progress progress(load.clock, "funding", total, Progress::Unit::Transactions);
    TransactionStream stream(load.clock,
                             load.devnet,
                             std::move(sources),
                             {.patience = std::chrono::seconds(load.options.patience_s)});
    DRACO_TRY_VOID(stream.run([&](std::uint64_t count) { progress.advance(count); }));
    return {};
}

// --- the load ---

Result<LoadExpectation> start_of(const Load& load) {
    // After the funding, from a node that has executed all of it.
    DRACO_TRY(now, holdings_now(load.devnet, load.plan));
    for (const DevnetNodeRecord& node : load.devnet.nodes) {
        DevnetRecord one;
        one.nodes.push_back(node);
        const auto other = holdings_now(one, load.plan);
        if (!other) continue;
        for (std::size_t i = 0; i < load.plan.accounts(); ++i) {
            now.nonces[i] = std::max(now.nonces[i], other->nonces[i]);
            now.holdings[i].flk = std::max(now.holdings[i].flk, other->holdings[i].flk);
            now.holdings[i].usd = std::max(now.holdings[i].usd, other->holdings[i].usd);
        }
    }
    return now;
}

Result<StreamOutcome> send_load(const Load& load, const LoadExpectation& start) {
    std::vector<StreamSource> sources;
    for (std::size_t i = 0; i < load.plan.accounts(); ++i) {
        const types::Nonce executed(start.nonces[i]);
        sources.push_back(
            {.address = crypto::to_text(load.plan.address(i)),
             .executed = executed,
             .count = load.steps[i],
             .bytes = [&load, i, executed](std::uint64_t step) {
                 return load.plan.sign(i, step, types::Nonce(executed.value() + step + 1)).bytes;
             }});
    }
    const LoadOptions& options = load.options;
    StreamLimits limits{.in_flight_max = options.in_flight,
                        .rate_tps = options.rate_tps,
                        .patience = std::chrono::seconds(options.patience_s)};
    if (options.seconds > 0) limits.sending_max = std::chrono::seconds(options.seconds);
    Progress progress(load.clock,
                      "transfers",
                      options.seconds > 0 && options.rate_tps == 0 ? 0 : transfers_of(options),
                      Progress::Unit::Transactions);
    TransactionStream stream(load.clock, load.devnet, std::move(sources), limits);
    return stream.run([&](std::uint64_t count) { progress.advance(count); });
}

struct Booked {
    LoadExpectation expected;
    types::FlkAmount fees{};
};

Booked book(const Load& load, const LoadExpectation& start, const StreamOutcome& outcome) {
    Booked booked{.expected = start, .fees = {}};
    for (std::size_t i = 0; i < load.plan.accounts(); ++i) {
        for (std::uint64_t step = 0; step < outcome.executed[i]; ++step) {
            const types::Nonce nonce(start.nonces[i] + step + 1);
            const std::size_t bytes = load.plan.sign(i, step, nonce).bytes.size();
            load.plan.apply(i, step, bytes, booked.expected.holdings);
            booked.fees.units += load.plan.fee(bytes).units;
        }
        booked.expected.nonces[i] += outcome.executed[i];
    }
    return booked;
}

void print_outcome(const Invocation& invocation,
                   const StreamOutcome& outcome,
                   const Booked& booked,
                   const LoadAudit& audit) {
    const double tps =
        outcome.seconds > 0 ? static_cast<double>(outcome.total) / outcome.seconds : 0;
    const std::string verdict = audit.differences.empty() ? "ok" : "differs";
    if (invocation.json) {
        json::array differences;
        for (const std::string& difference : audit.differences)
            differences.emplace_back(difference);
        print_value(invocation,
                    json::object{{"executed", outcome.total},
                                 {"refused_and_resent", outcome.refused_and_resent},
                                 {"lost_and_resent", outcome.lost_and_resent},
                                 {"seconds", rounded(outcome.seconds, 2)},
                                 {"tps", rounded(tps, 2)},
                                 {"fees_burned", to_text(booked.fees)},
                                 {"burned_since_genesis", audit.burned},
                                 {"height", audit.height},
                                 {"state_root", audit.state_root},
                                 {"verdict", verdict},
                                 {"differences", std::move(differences)}});
        return;
    }
    char seconds[32];
    char rate[32];
    std::snprintf(seconds, sizeof seconds, "%.1f", outcome.seconds);
    std::snprintf(rate, sizeof rate, "%.0f", tps);
    print_table({"executed",
                 "refused, sent again",
                 "lost, sent again",
                 "seconds",
                 "tx/s",
                 "FLK burned",
                 "verdict"},
                {{std::to_string(outcome.total),
                  std::to_string(outcome.refused_and_resent),
                  std::to_string(outcome.lost_and_resent),
                  seconds,
                  rate,
                  to_text(booked.fees),
                  verdict}});
    for (const std::string& difference : audit.differences) std::puts(shown(difference).c_str());
}

}  // namespace

Result<> run_devnet_load(const Invocation& invocation, const LoadOptions& options) {
    DRACO_TRY(path, devnet_home(invocation));
    DRACO_TRY(load, prepare(path, options));
    DRACO_TRY(home, NodeHome::open(path));
    std::fprintf(stderr,
                 "note: the load's accounts have keys that anybody can derive, as the development "
                 "accounts that fund them\n");
    DRACO_TRY_VOID(fund(home, load));
    DRACO_TRY(start, start_of(load));
    DRACO_TRY(outcome, send_load(load, start));
    const Booked booked = book(load, start, outcome);
    const LoadAudit audit = audit_load(
        load.clock, load.devnet, load.genesis, load.plan, booked.expected, kAgreePatience);
    print_outcome(invocation, outcome, booked, audit);
    if (audit.differences.empty()) return {};
    return fail(Errc::Corrupt, "the devnet is not as it must be: " + audit.differences.front());
}

}  // namespace draco
