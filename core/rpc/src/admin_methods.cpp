// admin_*: what the node does in its own name. Reached with the token only (service.cpp).

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include "admin_waits.hpp"
#include "json_values.hpp"
#include "method.hpp"
#include "node_status.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kWaitDefaultMs = 30'000;
constexpr std::array kTimeout = {
    ParameterSpec{"timeout_ms", ParameterType::Number, false, "30000 if not given"}};

constexpr std::array kAfter = {
    ParameterSpec{"after", ParameterType::Text, false, "`next` of the page before"}};

// The node signs the method and the call is answered when a block has executed it.
void execute(const Context& context,
             const Parameters& parameters,
             types::Method method,
             Answer answer) {
    std::uint64_t timeout_ms = std::min(kWaitDefaultMs, context.limits.wait_ms_max);
    if (parameters.has(0)) {
        const auto given = parameters.number(0, context.limits.wait_ms_max);
        if (!given) return answer.give(std::unexpected(given.error()));
        timeout_ms = *given;
    }
    const auto id =
        context.admin_waits->wait(std::move(answer), std::chrono::milliseconds(timeout_ms));
    if (!id) return;
    context.on.signer.execute(
        std::move(method),
        [waits = std::weak_ptr(context.admin_waits), id = *id](Result<types::Receipt> receipt) {
            const auto open = waits.lock();
            if (!open) return;
            if (receipt)
                open->finish(id, outcome_json(*receipt));
            else
                open->finish(id, std::unexpected(RpcError(receipt.error())));
        });
}

// What the chain would refuse or revert for lack of stake is said before a nonce is spent.
Outcome<void> check_stake(const Context& context) {
    const auto view = context.on.ledger.view();
    DRACO_TRY(record, view->node(context.on.node_key));
    const types::FlkAmount stake = record ? record->stake : types::FlkAmount{};
    const types::FlkAmount needed = view->parameters().stake_min;
    if (record && stake >= needed) return {};
    const std::string key = to_base58(context.on.node_key.view());
    return std::unexpected(RpcError(Code::NotFound,
                                    "node " + key + " has " + types::to_text(stake) +
                                        " FLK staked and needs " + types::to_text(needed) +
                                        ": draco stake add AMOUNT --stake-node " + key,
                                    {{"reason", "stake"},
                                     {"node", key},
                                     {"stake", types::to_text(stake)},
                                     {"stake_min", types::to_text(needed)}}));
}

void opt_in(const Context& context, const Parameters& parameters, Answer answer) {
    if (const auto staked = check_stake(context); !staked)
        return answer.give(std::unexpected(staked.error()));
    execute(context,
            parameters,
            types::OptIn{.endpoints = context.on.admin->endpoints},
            std::move(answer));
}

void opt_out(const Context& context, const Parameters& parameters, Answer answer) {
    execute(context, parameters, types::OptOut{}, std::move(answer));
}

Outcome<json::value> status(const Context& context, const Parameters& /*parameters*/) {
    const auto view = context.on.ledger.view();
    const types::NodeKey& key = context.on.node_key;
    DRACO_TRY(record, view->node(key));
    json::object made{{"node_key", node_key_text(key)},
                      {"epoch", view->epoch().epoch.value()},
                      {"role", role_text(context.on.consensus.status().role)},
                      {"node", nullptr},
                      {"announces", endpoints_json(context.on.admin->endpoints)}};
    if (record) made["node"] = node_json(key, *record);
    put_amount(made, "stake_min", view->parameters().stake_min);
    made["signer"] = signer_json(context.on.signer.status());
    return json::value(std::move(made));
}

json::object ack_json(const types::SignedDeliveryAck& kept, const interfaces::StateView& view) {
    const types::DeliveryAck& ack = kept.ack;
    json::object made{{"payer", crypto::to_text(ack.payer)},
                      {"lane", ack.lane.value()},
                      {"instance", ack.instance.value()},
                      {"acknowledged", ack.cumulative},
                      {"settled", nullptr}};
    const auto lane = view.lane({.payer = ack.payer, .node = ack.node, .index = ack.lane});
    if (lane && *lane && (*lane)->instance == ack.instance) made["settled"] = (*lane)->settled;
    return made;
}

// "address:index", the lane that a page ended with.
std::optional<types::LaneKey> parse_after(const types::NodeKey& node, std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto payer = crypto::parse_ethereum_address(text.substr(0, colon));
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t index = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (!payer || status != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return types::LaneKey{.payer = *payer, .node = node, .index = types::LaneIndex(index)};
}

Outcome<json::value> acks(const Context& context, const Parameters& parameters) {
    std::optional<types::LaneKey> after;
    if (parameters.has(0)) {
        DRACO_TRY(text, parameters.text(0));
        after = parse_after(context.on.node_key, text);
        if (!after)
            return std::unexpected(
                RpcError(Code::InvalidParameters, "'after' is not the `next` of a page before"));
    }
    json::array listed;
    json::value next;
    if (context.on.acknowledgements != nullptr) {
        const std::size_t count = context.limits.page_max;
        const auto kept = context.on.acknowledgements->kept(after, count);
        const auto view = context.on.ledger.view();
        for (const types::SignedDeliveryAck& each : kept) listed.push_back(ack_json(each, *view));
        if (kept.size() == count)
            next = crypto::to_text(kept.back().ack.payer) + ":" +
                   std::to_string(kept.back().ack.lane.value());
    }
    return json::value(json::object{{"acks", std::move(listed)}, {"next", next}});
}

constexpr std::array kAdminMethods = {
    Method{.name = "admin_acks",
           .parameters = kAfter,
           .result = "{acks, next}",
           .doc = "Acknowledgements of clients that the chain has not counted yet.",
           .read = acks,
           .reach = Reach::Admin},
    Method{.name = "admin_opt_in",
           .parameters = kTimeout,
           .result = "receipt without hash",
           .doc = "The node takes part from the next epoch on, at the endpoints it is set to.",
           .start = opt_in,
           .reach = Reach::Admin},
    Method{.name = "admin_opt_out",
           .parameters = kTimeout,
           .result = "receipt without hash",
           .doc = "The node leaves at the end of this epoch.",
           .start = opt_out,
           .reach = Reach::Admin},
    Method{.name = "admin_status",
           .parameters = {},
           .result = "object",
           .doc = "What the chain knows of the node, what it announces, and what it signed.",
           .read = status,
           .reach = Reach::Admin}};

}  // namespace

std::span<const Method> admin_methods() {
    return kAdminMethods;
}

}  // namespace draco::rpc
