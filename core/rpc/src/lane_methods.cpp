// flk_*: what delivery costs, the lanes that pay for it, and what it earned.

#include "draco/crypto/ethereum_address.hpp"

#include "json_values.hpp"
#include "method.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();

constexpr std::array kLane = {
    ParameterSpec{"payer", ParameterType::Address, true, "who opened it"},
    ParameterSpec{"node", ParameterType::NodeKey, true, "the node that it pays"},
    ParameterSpec{"lane", ParameterType::Number, false, "its index, 0 if not given"}};
constexpr std::array kLanesOf = {
    ParameterSpec{"payer", ParameterType::Address, true, "who opened them"},
    ParameterSpec{"after", ParameterType::Text, false, "`next` of the page before"},
    ParameterSpec{"count", ParameterType::Number, false, "how many at most, 100 if not given"}};
constexpr std::array kNodeAndEpoch = {
    ParameterSpec{"node", ParameterType::NodeKey, true, "the node's key"},
    ParameterSpec{"epoch",
                  ParameterType::Number,
                  false,
                  "the running one, or the one before; the running one if not given"}};
constexpr std::array kEpochIfGiven = {
    ParameterSpec{"epoch", ParameterType::Number, false, "the running one if not given"}};

std::string page_text(const types::LaneKey& key) {
    return node_key_text(key.node) + ":" + std::to_string(key.index.value());
}

std::optional<types::LaneKey> parse_page(const types::Address& payer, std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto node = parse_node_key(text.substr(0, colon));
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t index = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (!node || status != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return types::LaneKey{.payer = payer, .node = *node, .index = types::LaneIndex(index)};
}

Outcome<json::value> lane(const Context& context, const Parameters& parameters) {
    DRACO_TRY(payer, parameters.address(0));
    DRACO_TRY(node, parameters.node_key(1));
    std::uint64_t index = 0;
    if (parameters.has(2)) {
        DRACO_TRY(given, parameters.number(2, std::numeric_limits<std::uint16_t>::max()));
        index = given;
    }
    const types::LaneKey key{
        .payer = payer, .node = node, .index = types::LaneIndex(static_cast<std::uint16_t>(index))};
    DRACO_TRY(found, context.on.ledger.view()->lane(key));
    if (!found) return json::value(nullptr);
    return json::value(lane_json(key, *found));
}

Outcome<json::value> lanes_of(const Context& context, const Parameters& parameters) {
    DRACO_TRY(payer, parameters.address(0));
    std::optional<types::LaneKey> after;
    if (parameters.has(1)) {
        DRACO_TRY(text, parameters.text(1));
        after = parse_page(payer, text);
        if (!after)
            return bad_parameter(
                "after", "a node key, a colon and the index of a lane", "\"" + shown(text) + "\"");
    }
    std::uint64_t count = std::min<std::uint64_t>(kPageDefault, context.limits.page_max);
    if (parameters.has(2)) {
        DRACO_TRY(given, parameters.number(2, context.limits.page_max));
        count = given;
    }
    // One more, to know whether there is a next page.
    DRACO_TRY(found, context.on.ledger.view()->lanes_of(payer, after, count + 1));
    const bool more = found.size() > count;
    if (more) found.resize(count);
    json::array lanes;
    lanes.reserve(found.size());
    for (const auto& [key, record] : found) lanes.emplace_back(lane_json(key, record));
    json::object page{{"lanes", std::move(lanes)}, {"next", nullptr}};
    if (more && !found.empty()) page["next"] = page_text(found.back().first);
    return json::value(std::move(page));
}

Outcome<json::value> commodity_prices(const Context& context, const Parameters& /*parameters*/) {
    DRACO_TRY(prices, context.on.ledger.view()->prices());
    json::array made;
    for (const auto& [commodity, price] : prices) {
        json::object entry = price_json(price);
        entry["commodity"] = types::to_string(commodity);
        made.emplace_back(std::move(entry));
    }
    return json::value(std::move(made));
}

Outcome<json::value> services(const Context& context, const Parameters& /*parameters*/) {
    DRACO_TRY(found, context.on.ledger.view()->services());
    json::array made;
    for (const auto& [id, service] : found)
        made.emplace_back(json::object{{"id", id.value()},
                                       {"name", *service.name},
                                       {"builder", crypto::to_text(service.builder)},
                                       {"commodity", types::to_string(service.commodity)}});
    return json::value(std::move(made));
}

// The one asked for, which is not in the future.
Outcome<types::Epoch> epoch_of(const interfaces::StateView& view,
                               const Parameters& parameters,
                               std::size_t place) {
    const types::Epoch running = view.epoch().epoch;
    if (!parameters.has(place)) return running;
    DRACO_TRY(given, parameters.number(place, kAnyNumber));
    if (given > running.value())
        return std::unexpected(RpcError(Code::NotFound,
                                        "epoch " + std::to_string(given) +
                                            " has not begun; epoch " +
                                            std::to_string(running.value()) + " is running"));
    return types::Epoch(given);
}

Outcome<json::value> node_revenue(const Context& context, const Parameters& parameters) {
    const auto view = context.on.ledger.view();
    DRACO_TRY(node, parameters.node_key(0));
    DRACO_TRY(epoch, epoch_of(*view, parameters, 1));
    const std::uint64_t running = view->epoch().epoch.value();
    if (running - epoch.value() > 1)
        return std::unexpected(RpcError(
            Code::NotFound,
            "what nodes earned is kept until the epoch after has ended: epochs " +
                std::to_string(running - 1) + " and " + std::to_string(running) + " are there"));
    DRACO_TRY(revenue, view->node_revenue(epoch, node));
    json::object made{{"node", node_key_text(node)},
                      {"epoch", epoch.value()},
                      {"ended", epoch.value() < running}};
    put_node_revenue(made, revenue.value_or(types::NodeRevenue{}));
    return json::value(std::move(made));
}

Outcome<json::value> epoch_revenue(const Context& context, const Parameters& parameters) {
    const auto view = context.on.ledger.view();
    DRACO_TRY(epoch, epoch_of(*view, parameters, 0));
    DRACO_TRY(revenue, view->epoch_revenue(epoch));
    json::object made{{"epoch", epoch.value()}, {"ended", revenue.has_value()}};
    if (revenue)
        put_epoch_revenue(made, *revenue);
    else
        put_amount(made, "revenue", view->revenue_pot());
    return json::value(std::move(made));
}

constexpr std::array kLaneMethods = {
    Method{.name = "flk_lane",
           .parameters = kLane,
           .result = "lane or null",
           .doc = "A lane that is open.",
           .read = lane},
    Method{.name = "flk_lanes_of",
           .parameters = kLanesOf,
           .result = "object",
           .doc = "The open lanes of an account in the order of nodes and indices, in pages.",
           .read = lanes_of},
    Method{.name = "flk_commodity_prices",
           .parameters = {},
           .result = "list",
           .doc = "What nodes sell, and what it costs.",
           .read = commodity_prices},
    Method{.name = "flk_services",
           .parameters = {},
           .result = "list",
           .doc = "The services that sell it, and who has built them.",
           .read = services},
    Method{.name = "flk_node_revenue",
           .parameters = kNodeAndEpoch,
           .result = "object",
           .doc = "What a node earned in an epoch, and what its owner was paid.",
           .read = node_revenue},
    Method{.name = "flk_epoch_revenue",
           .parameters = kEpochIfGiven,
           .result = "object",
           .doc = "What all nodes earned in an epoch, and how it was divided.",
           .read = epoch_revenue}};

}  // namespace

std::span<const Method> lane_methods() {
    return kLaneMethods;
}

}  // namespace draco::rpc
