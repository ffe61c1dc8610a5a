#include "load_audit.hpp"

#include "draco/crypto/ethereum_address.hpp"

#include "rpc_client.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <set>
#include <thread>

namespace draco {
namespace {

namespace json = boost::json;

constexpr auto kAskEvery = std::chrono::milliseconds(200);
constexpr std::size_t kDifferencesMax = 20;

RpcClient client_of(const DevnetNodeRecord& node) {
    return RpcClient(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
}

struct Head {
    std::uint64_t height = 0;
    std::string state_root;

    auto operator<=>(const Head&) const = default;
};

Result<Head> head_of(const RpcClient& client) {
    DRACO_TRY(status, client.ask("flk_node_status"));
    DRACO_TRY(height, number_member(status, "height"));
    DRACO_TRY(root, text_member(status, "state_root"));
    const auto* fork = status.get_object().if_contains("fork");
    if (fork != nullptr && fork->is_bool() && fork->get_bool())
        return fail(Errc::Corrupt, "has seen a fork");
    return Head{.height = height, .state_root = root};
}

// The one head of all, or what each says.
Result<Head> common_head(const DevnetRecord& devnet) {
    std::set<Head> heads;
    std::string said;
    bool all_well = true;
    for (const DevnetNodeRecord& node : devnet.nodes) {
        const auto head = head_of(client_of(node));
        said += "; node " + std::to_string(node.index) + ": " +
                (head ? "height " + std::to_string(head->height) + ", state " + head->state_root
                      : head.error().context);
        if (head) heads.insert(*head);
        all_well = all_well && head;
    }
    if (all_well && heads.size() == 1) return *heads.begin();
    return fail(Errc::Corrupt, "the nodes differ" + said);
}

Result<Head> agree(const Clock& clock, const DevnetRecord& devnet, Duration patience) {
    const Instant deadline = clock.now() + patience;
    while (true) {
        auto head = common_head(devnet);
        if (head || clock.now() > deadline) return head;
        std::this_thread::sleep_for(kAskEvery);
    }
}

Result<LoadExpectation> holdings_at(const RpcClient& client, const LoadPlan& plan) {
    LoadExpectation found;
    for (std::size_t begin = 0; begin < plan.accounts(); begin += kRpcBatchMax) {
        const std::size_t end = std::min(begin + kRpcBatchMax, plan.accounts());
        std::vector<RpcCall> calls;
        for (std::size_t i = begin; i < end; ++i)
            calls.push_back({"flk_get_account_info", {crypto::to_text(plan.address(i))}});
        DRACO_TRY(outcomes, client.call_all(calls));
        for (const RpcOutcome& outcome : outcomes) {
            if (!outcome) return std::unexpected(outcome.error().error);
            DRACO_TRY(flk_text, text_member(*outcome, "flk"));
            DRACO_TRY(usd_text, text_member(*outcome, "usd"));
            DRACO_TRY(flk, types::parse_flk(flk_text));
            DRACO_TRY(usd, types::parse_usd(usd_text));
            DRACO_TRY(nonce, number_member(*outcome, "nonce"));
            found.holdings.push_back({.flk = flk, .usd = usd});
            found.nonces.push_back(nonce);
        }
    }
    return found;
}

void compare(const std::string& node,
             const LoadPlan& plan,
             const LoadExpectation& expected,
             const LoadExpectation& found,
             std::vector<std::string>& differences) {
    for (std::size_t i = 0; i < plan.accounts(); ++i) {
        if (differences.size() >= kDifferencesMax) return;
        if (found.holdings[i] == expected.holdings[i] && found.nonces[i] == expected.nonces[i])
            continue;
        const auto text = [&](const LoadExpectation& all) {
            return to_text(all.holdings[i].flk) + " FLK, " + to_text(all.holdings[i].usd) +
                   " USD, nonce " + std::to_string(all.nonces[i]);
        };
        differences.push_back(node + ": " + crypto::to_text(plan.address(i)) + " has " +
                              text(found) + ", not " + text(expected));
    }
}

template <class Amount>
Amount sum(Amount a, Amount b) {
    return Amount{a.units + b.units};  // types::check(genesis) has bounded the whole
}

Result<> check_supply(const RpcClient& client, const types::Genesis& genesis, LoadAudit& audit) {
    DRACO_TRY(supply, client.ask("flk_get_supply"));
    DRACO_TRY(flk_text, text_member(supply, "flk"));
    DRACO_TRY(usd_text, text_member(supply, "usd"));
    DRACO_TRY(burned_text, text_member(supply, "flk_burned"));
    DRACO_TRY(flk, types::parse_flk(flk_text));
    DRACO_TRY(usd, types::parse_usd(usd_text));
    DRACO_TRY(burned, types::parse_flk(burned_text));
    DRACO_TRY(emitted_text, text_member(supply, "flk_emitted"));
    DRACO_TRY(emitted, types::parse_flk(emitted_text));
    Holdings all;
    for (const auto& account : *genesis.accounts)
        all = {.flk = sum(all.flk, account.flk), .usd = sum(all.usd, account.usd)};
    for (const auto& node : *genesis.nodes) all.flk = sum(all.flk, node.stake);
    audit.burned = burned_text;
    if (sum(flk, burned) != sum(all.flk, emitted))
        audit.differences.push_back("supply of " + flk_text + " FLK and " + burned_text +
                                    " burned are not the " + to_text(all.flk) +
                                    " of the genesis and " + emitted_text + " emitted");
    if (usd != all.usd)
        audit.differences.push_back("supply of " + usd_text + " USD is not the " +
                                    to_text(all.usd) + " of the genesis");
    return {};
}

}  // namespace

Result<LoadExpectation> holdings_now(const DevnetRecord& devnet, const LoadPlan& plan) {
    Result<LoadExpectation> found = fail(Errc::Unavailable, "the devnet has no nodes");
    for (const DevnetNodeRecord& node : devnet.nodes) {
        found = holdings_at(client_of(node), plan);
        if (found) break;
    }
    return found;
}

LoadAudit audit_load(const Clock& clock,
                     const DevnetRecord& devnet,
                     const types::Genesis& genesis,
                     const LoadPlan& plan,
                     const LoadExpectation& expected,
                     Duration patience) {
    LoadAudit audit;
    const auto head = agree(clock, devnet, patience);
    if (head) {
        audit.height = head->height;
        audit.state_root = head->state_root;
    } else {
        audit.differences.push_back(head.error().context);
    }
    for (const DevnetNodeRecord& node : devnet.nodes) {
        const RpcClient client = client_of(node);
        const std::string name = "node " + std::to_string(node.index);
        const auto found = holdings_at(client, plan);
        if (found)
            compare(name, plan, expected, *found, audit.differences);
        else
            audit.differences.push_back(name + ": " + found.error().context);
        const auto checked = check_supply(client, genesis, audit);
        if (!checked) audit.differences.push_back(name + ": " + checked.error().context);
    }
    return audit;
}

}  // namespace draco
