// The node that answers, and net_*, web3_*, rpc_*.

#include "draco/crypto/keccak.hpp"

#include "json_values.hpp"
#include "method.hpp"
#include "node_status.hpp"

#include <array>
#include <charconv>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::array kData = {ParameterSpec{"data", ParameterType::Hex, true, "the bytes to hash"}};

Outcome<json::value> ping(const Context& /*context*/, const Parameters& /*parameters*/) {
    return json::value("pong");
}

Outcome<json::value> status(const Context& context, const Parameters& /*parameters*/) {
    return json::value(node_status(context));
}

Outcome<json::value> net_version(const Context& context, const Parameters& /*parameters*/) {
    return json::value(std::to_string(context.on.ledger.view()->chain().value()));
}

Outcome<json::value> peer_count(const Context& context, const Parameters& /*parameters*/) {
    std::array<char, 2 * sizeof(std::size_t)> digits{};
    const auto end = std::to_chars(
        digits.data(), digits.data() + digits.size(), context.on.links.connected().size(), 16);
    return json::value("0x" + std::string(digits.data(), end.ptr));
}

Outcome<json::value> listening(const Context& /*context*/, const Parameters& /*parameters*/) {
    return json::value(true);
}

Outcome<json::value> client_version(const Context& context, const Parameters& /*parameters*/) {
    return json::value("draco/" + context.on.version);
}

Outcome<json::value> sha3(const Context& context, const Parameters& parameters) {
    DRACO_TRY(data, parameters.hex(0, context.limits.body_bytes_max));
    return json::value(hex_text(crypto::keccak256(data).view()));
}

json::array parameters_json(const MethodDescription& method) {
    json::array parameters;
    for (const ParameterDescription& parameter : method.parameters)
        parameters.emplace_back(json::object{{"name", parameter.name},
                                             {"type", parameter.type},
                                             {"required", parameter.required},
                                             {"doc", parameter.doc}});
    return parameters;
}

Outcome<json::value> methods(const Context& /*context*/, const Parameters& /*parameters*/) {
    json::array listed;
    for (const MethodDescription& method : describe_methods())
        listed.emplace_back(json::object{{"name", method.name},
                                         {"params", parameters_json(method)},
                                         {"result", method.result},
                                         {"doc", method.doc}});
    return json::value(std::move(listed));
}

std::string_view schema_type(std::string_view type) {
    if (type == "number") return "integer";
    if (type == "object") return "object";
    return "string";
}

// An OpenRPC document.
Outcome<json::value> discover(const Context& context, const Parameters& /*parameters*/) {
    json::array listed;
    for (const MethodDescription& method : describe_methods()) {
        json::array parameters;
        for (const ParameterDescription& parameter : method.parameters) {
            json::object schema{{"title", parameter.type}};
            // A height is a number, "latest" a string.
            if (!parameter.type.starts_with("height")) schema["type"] = schema_type(parameter.type);
            parameters.emplace_back(json::object{{"name", parameter.name},
                                                 {"summary", parameter.doc},
                                                 {"required", parameter.required},
                                                 {"schema", std::move(schema)}});
        }
        listed.emplace_back(
            json::object{{"name", method.name},
                         {"summary", method.doc},
                         {"paramStructure", "either"},
                         {"params", std::move(parameters)},
                         {"result",
                          json::object{{"name", "result"},
                                       {"schema", json::object{{"title", method.result}}}}}});
    }
    return json::value(
        json::object{{"openrpc", "1.2.6"},
                     {"info", json::object{{"title", "Draco"}, {"version", context.on.version}}},
                     {"methods", std::move(listed)}});
}

constexpr std::array kSystemMethods = {
    Method{.name = "flk_ping",
           .parameters = {},
           .result = "\"pong\"",
           .doc = "Whether the node answers.",
           .read = ping},
    Method{.name = "flk_node_status",
           .parameters = {},
           .result = "object",
           .doc = "The node that answers: chain, role, sync, peers, signer and mailboxes.",
           .read = status},
    Method{.name = "flk_methods",
           .parameters = {},
           .result = "list of methods",
           .doc = "What can be called.",
           .read = methods},
    Method{.name = "rpc_discover",
           .parameters = {},
           .result = "OpenRPC document",
           .doc = "What can be called, as an OpenRPC document.",
           .read = discover},
    Method{.name = "rpc.discover",
           .parameters = {},
           .result = "OpenRPC document",
           .doc = "The name that OpenRPC gives to rpc_discover.",
           .read = discover},
    Method{.name = "net_version",
           .parameters = {},
           .result = "text",
           .doc = "The chain's id in decimal digits.",
           .read = net_version},
    Method{.name = "net_peerCount",
           .parameters = {},
           .result = "quantity",
           .doc = "The number of nodes linked with, in hex.",
           .read = peer_count},
    Method{.name = "net_listening",
           .parameters = {},
           .result = "true",
           .doc = "Whether the node takes links.",
           .read = listening},
    Method{.name = "web3_clientVersion",
           .parameters = {},
           .result = "text",
           .doc = "The program and its version.",
           .read = client_version},
    Method{.name = "web3_sha3",
           .parameters = kData,
           .result = "hash",
           .doc = "Keccak-256 of the bytes.",
           .read = sha3}};

}  // namespace

std::span<const Method> system_methods() {
    return kSystemMethods;
}

}  // namespace draco::rpc
