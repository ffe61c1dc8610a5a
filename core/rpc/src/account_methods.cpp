// flk_*: what accounts hold.

#include "json_values.hpp"
#include "method.hpp"

#include <array>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::array kOfAddress = {
    ParameterSpec{"address", ParameterType::Address, true, "whose account"}};

Outcome<types::Account> account_of(const Context& context, const types::Address& address) {
    return context.on.ledger.view()->account(address).map_error(
        [](const Error& error) { return RpcError(error); });
}

Outcome<json::value> flk_balance(const Context& context, const Parameters& parameters) {
    DRACO_TRY(address, parameters.address(0));
    DRACO_TRY(account, account_of(context, address));
    return json::value(types::to_text(account.flk));
}

Outcome<json::value> stables_balance(const Context& context, const Parameters& parameters) {
    DRACO_TRY(address, parameters.address(0));
    DRACO_TRY(account, account_of(context, address));
    return json::value(types::to_text(account.usd));
}

Outcome<json::value> account_info(const Context& context, const Parameters& parameters) {
    DRACO_TRY(address, parameters.address(0));
    DRACO_TRY(account, account_of(context, address));
    return json::value(account_json(address, account));
}

Outcome<json::value> state_proof(const Context& context, const Parameters& parameters) {
    DRACO_TRY(address, parameters.address(0));
    const auto view = context.on.ledger.view();
    DRACO_TRY(account, view->account(address));
    DRACO_TRY(proof, view->prove_account(address));
    return json::value(json::object{{"account", account_json(address, account)},
                                    {"value", hex_text(bcs::encode(account))},
                                    {"proof", hex_text(proof)},
                                    {"state_root", hex_text(view->state_root().view())},
                                    {"height", view->head().height.value()}});
}

constexpr std::array kAccountMethods = {
    Method{.name = "flk_get_flk_balance",
           .parameters = kOfAddress,
           .result = "amount",
           .doc = "The FLK of an account.",
           .read = flk_balance},
    Method{.name = "flk_get_stables_balance",
           .parameters = kOfAddress,
           .result = "amount",
           .doc = "The stablecoin of an account.",
           .read = stables_balance},
    Method{.name = "flk_get_account_info",
           .parameters = kOfAddress,
           .result = "account",
           .doc = "Balances and the nonce of the last transaction executed.",
           .read = account_info},
    Method{.name = "flk_get_state_proof",
           .parameters = kOfAddress,
           .result = "object",
           .doc = "An account with the proof that the state root holds it.",
           .read = state_proof}};

}  // namespace

std::span<const Method> account_methods() {
    return kAccountMethods;
}

}  // namespace draco::rpc
