// flk_*: who takes part.

#include "json_values.hpp"
#include "method.hpp"

#include <array>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::array kOfNode = {
    ParameterSpec{"node", ParameterType::NodeKey, true, "the node's key"}};
constexpr std::array kPage = {
    ParameterSpec{"after", ParameterType::NodeKey, false, "the last key of the page before"},
    ParameterSpec{"count", ParameterType::Number, false, "how many at most, 100 if not given"}};

Outcome<std::optional<types::NodeRecord>> record_of(const Context& context,
                                                    const Parameters& parameters) {
    DRACO_TRY(key, parameters.node_key(0));
    DRACO_TRY(record, context.on.ledger.view()->node(key));
    return std::move(record);
}

Outcome<json::value> staked(const Context& context, const Parameters& parameters) {
    DRACO_TRY(record, record_of(context, parameters));
    return json::value(types::to_text(record ? record->stake : types::FlkAmount{}));
}

Outcome<json::value> locked(const Context& context, const Parameters& parameters) {
    DRACO_TRY(record, record_of(context, parameters));
    return json::value(types::to_text(record && record->unbonding ? record->unbonding->amount
                                                                  : types::FlkAmount{}));
}

Outcome<json::value> node_info(const Context& context, const Parameters& parameters) {
    DRACO_TRY(key, parameters.node_key(0));
    DRACO_TRY(record, context.on.ledger.view()->node(key));
    if (!record) return json::value(nullptr);
    return json::value(node_json(key, *record));
}

Outcome<json::value> node_registry(const Context& context, const Parameters& parameters) {
    std::optional<types::NodeKey> after;
    if (parameters.has(0)) {
        DRACO_TRY(key, parameters.node_key(0));
        after = key;
    }
    std::uint64_t count = std::min<std::uint64_t>(kPageDefault, context.limits.page_max);
    if (parameters.has(1)) {
        DRACO_TRY(given, parameters.number(1, context.limits.page_max));
        count = given;
    }
    // One more, to know whether there is a next page.
    DRACO_TRY(found, context.on.ledger.view()->nodes(after, count + 1));
    const bool more = found.size() > count;
    if (more) found.resize(count);
    json::array nodes;
    nodes.reserve(found.size());
    for (const auto& [key, record] : found) nodes.emplace_back(node_json(key, record));
    json::object page{{"nodes", std::move(nodes)}, {"next", nullptr}};
    if (more && !found.empty()) page["next"] = node_key_text(found.back().first);
    return json::value(std::move(page));
}

Outcome<json::value> public_keys(const Context& context, const Parameters& /*parameters*/) {
    return json::value(json::object{{"node_public_key", node_key_text(context.on.node_key)}});
}

constexpr std::array kNodeMethods = {
    Method{.name = "flk_get_staked",
           .parameters = kOfNode,
           .result = "amount",
           .doc = "The FLK staked behind a node.",
           .read = staked},
    Method{.name = "flk_get_locked",
           .parameters = kOfNode,
           .result = "amount",
           .doc = "The FLK of a node that is on its way out of the stake.",
           .read = locked},
    Method{.name = "flk_get_node_info",
           .parameters = kOfNode,
           .result = "node or null",
           .doc = "What the chain knows of a node.",
           .read = node_info},
    Method{.name = "flk_get_node_registry",
           .parameters = kPage,
           .result = "object",
           .doc = "All nodes in the order of their keys, in pages.",
           .read = node_registry},
    Method{.name = "flk_get_public_keys",
           .parameters = {},
           .result = "object",
           .doc = "The keys of the node that answers.",
           .read = public_keys}};

}  // namespace

std::span<const Method> node_methods() {
    return kNodeMethods;
}

}  // namespace draco::rpc
