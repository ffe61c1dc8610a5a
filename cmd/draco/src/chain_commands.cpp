#include "chain_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/types/transaction.hpp"

#include "rpc_client.hpp"

#include <boost/json/object.hpp>

namespace draco {
namespace {

namespace json = boost::json;

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
    return print_answer(invocation, "flk_get_epoch_info");
}

Result<> run_committee(const Invocation& invocation) {
    return print_answer(invocation, "flk_get_committee_members");
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
