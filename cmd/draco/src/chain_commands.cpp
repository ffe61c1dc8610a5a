#include "chain_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/types/transaction.hpp"

#include "node_home.hpp"
#include "rpc_client.hpp"
#include "text_file.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace draco {
namespace {

namespace json = boost::json;

// "2026-11-26 03:38:51 UTC"; as it is, if no calendar has it.
json::value date_of(const json::value& ms) {
    if (!ms.is_int64() && !ms.is_uint64()) return ms;
    constexpr std::uint64_t kSecondsMax = 253'402'300'799;  // the year 9999
    json::error_code negative;
    const auto seconds = ms.to_number<std::uint64_t>(negative) / 1000;
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    std::array<char, 32> text{};
    if (negative || seconds > kSecondsMax || ::gmtime_r(&time, &parts) == nullptr) return ms;
    const std::size_t length = std::strftime(text.data(), text.size(), "%F %T UTC", &parts);
    return json::string(text.data(), length);
}

// Milliseconds since 1970 are for programs.
json::value with_dates(const json::value& answer) {
    const auto* object = answer.if_object();
    if (object == nullptr) return answer;
    json::object dated;
    for (const auto& [key, value] : *object) {
        const bool is_time = key == "started_ms" || key == "ends_after_ms";
        if (is_time)
            dated[key.substr(0, key.size() - 3)] = date_of(value);
        else
            dated[key] = value;
    }
    return dated;
}

std::string host_of(const RpcOutcome& record) {
    const auto* object = record ? record->if_object() : nullptr;
    const auto* endpoints = object == nullptr ? nullptr : object->if_contains("endpoints");
    if (endpoints == nullptr || !endpoints->is_object()) return "-";
    const auto host = text_member(*endpoints, "host");
    const auto port = number_member(*endpoints, "link_port");
    if (!host || !port) return "-";
    return (host->contains(':') ? "[" + *host + "]" : *host) + ":" + std::to_string(*port);
}

// The members in the order of the committee, which is that of their index in it.
Result<> print_members(const RpcClient& client, const json::array& members) {
    std::vector<std::vector<std::string>> rows;
    for (std::size_t from = 0; from < members.size(); from += kRpcBatchMax) {
        std::vector<RpcCall> calls;
        for (std::size_t i = from; i < std::min(from + kRpcBatchMax, members.size()); ++i)
            calls.push_back({.method = "flk_get_node_info", .parameters = {members[i]}});
        DRACO_TRY(records, client.call_all(calls));
        for (std::size_t i = 0; i < records.size(); ++i) {
            const json::value& key = members[from + i];
            rows.push_back({std::to_string(from + i),
                            key.is_string() ? std::string(key.get_string()) : "-",
                            host_of(records[i])});
        }
    }
    print_table({"index", "key", "links"}, std::move(rows));
    return {};
}

// That who answers for the node of this home is that node, and not another program on its port.
Result<> check_is_own(const Invocation& invocation, const RpcClient& client) {
    DRACO_TRY(path, home_path(invocation));
    if (!invocation.node.empty() || !path_exists(path + "/" + std::string(node::kConfigFile)))
        return {};
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY(own, home.node_key());
    DRACO_TRY(keys, client.ask("flk_get_public_keys"));
    DRACO_TRY(answering, text_member(keys, "node_public_key"));
    if (answering == to_base58(own.view())) return {};
    return fail(Errc::Unavailable,
                "another node answers there: at " + client.url() + " it is " + answering +
                    ", and the node of " + path + " is " + to_base58(own.view()) +
                    ". Start the own one with draco node run --home " + path +
                    ", on a port that is free: [rpc] port in its config.toml");
}

Result<> print_answer(const Invocation& invocation,
                      std::string_view method,
                      const json::array& parameters = {}) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(answer, client.ask(method, parameters));
    print_value(invocation, answer);
    return {};
}

}  // namespace

Result<> run_node_health(const Invocation& invocation) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(health, client.health());
    DRACO_TRY_VOID(check_is_own(invocation, client));
    print_value(invocation,
                json::object{{"url", client.url()}, {"healthy", health.ok}, {"says", health.text}});
    if (!health.ok)
        return fail(Errc::Unavailable, client.url() + " is not healthy: " + health.text);
    return {};
}

Result<> run_node_inspect(const Invocation& invocation) {
    return print_answer(invocation, "flk_node_status");
}

Result<> run_epoch(const Invocation& invocation) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(epoch, client.ask("flk_get_epoch_info"));
    print_value(invocation, invocation.json ? epoch : with_dates(epoch));
    return {};
}

Result<> run_committee(const Invocation& invocation) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(members, client.ask("flk_get_committee_members"));
    if (invocation.json || !members.is_array())
        print_value(invocation, members);
    else
        return print_members(client, members.get_array());
    return {};
}

Result<> check_transaction_hash(std::string_view text) {
    const auto hash =
        fixed_from_hex<types::TransactionHash>(text.substr(text.starts_with("0x") ? 2 : 0));
    if (hash) return {};
    return fail(
        Errc::InvalidArgument,
        "\"" + std::string(text) + "\" is no transaction's hash (" + hash.error().context + ")");
}

Result<> run_tx(const Invocation& invocation, const std::string& hash) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(receipt, client.ask("flk_get_transaction_receipt", {hash}));
    if (receipt.is_null())
        return fail(Errc::NotFound,
                    "no block that " + client.url() + " has executed holds transaction " + hash);
    print_value(invocation, receipt);
    return {};
}

}  // namespace draco
