#include "envelope.hpp"

#include "raw_ids.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

namespace draco::rpc {
namespace {

namespace json = boost::json;

Outcome<json::value> parse(std::string_view body, const ServiceLimits& limits) {
    if (body.size() > limits.body_bytes_max)
        return std::unexpected(too_long(body.size(), limits.body_bytes_max));
    json::parse_options options;
    options.max_depth = limits.depth_max;
    json::parser parser({}, options);
    json::error_code error;
    const std::size_t read = parser.write_some(body.data(), body.size(), error);
    if (error == json::error::too_deep)
        return std::unexpected(
            RpcError(Code::InvalidRequest,
                     "arrays and objects nest deeper than " + std::to_string(limits.depth_max)));
    if (!error && read < body.size()) error = json::error::extra_data;
    if (error)
        return std::unexpected(
            RpcError(Code::ParseError,
                     "no JSON text: " + error.message() + " at byte " + std::to_string(read)));
    return parser.release();
}

Call invalid(std::optional<std::string> id, std::string why) {
    Call call;
    call.id = id ? std::move(*id) : std::string(kNullId);
    call.invalid.emplace(Code::InvalidRequest, std::move(why));
    return call;
}

// The id as text; nullopt: it is of no legal type.
std::optional<std::string> id_text(const json::value& id, RawIds& raw_ids, std::size_t index) {
    if (id.is_double()) return raw_ids.at(index);
    if (id.is_string() || id.is_int64() || id.is_uint64() || id.is_null())
        return json::serialize(id);
    return std::nullopt;
}

Call to_call(json::value& value, RawIds& raw_ids, std::size_t index) {
    auto* const object = value.if_object();
    if (object == nullptr) return invalid({}, "a call is an object");
    std::optional<std::string> id;
    if (const auto* const given = object->if_contains("id")) {
        id = id_text(*given, raw_ids, index);
        if (!id) return invalid({}, "'id' is neither a string nor a number nor null");
    }
    const auto* const version = object->if_contains("jsonrpc");
    if (version == nullptr || !version->is_string() || version->get_string() != "2.0")
        return invalid(std::move(id), "'jsonrpc' is not \"2.0\"");
    const auto* const method = object->if_contains("method");
    if (method == nullptr || !method->is_string())
        return invalid(std::move(id), "'method' is not a string");
    Call call;
    call.method = method->get_string();
    if (auto* const parameters = object->if_contains("params")) {
        if (!parameters->is_array() && !parameters->is_object())
            return invalid(std::move(id), "'params' is neither an array nor an object");
        call.parameters = std::move(*parameters);
    }
    call.id = std::move(id);
    return call;
}

}  // namespace

Outcome<Calls> parse_calls(std::string_view body, const ServiceLimits& limits) {
    DRACO_TRY(value, parse(body, limits));
    RawIds raw_ids(body);
    Calls calls;
    auto* const batch = value.if_array();
    if (batch == nullptr) {
        calls.calls.push_back(to_call(value, raw_ids, 0));
        return calls;
    }
    calls.batch = true;
    if (batch->empty())
        return std::unexpected(RpcError(Code::InvalidRequest, "the batch is empty"));
    if (batch->size() > limits.batch_max)
        return std::unexpected(RpcError(Code::InvalidRequest,
                                        "the batch has " + std::to_string(batch->size()) +
                                            " calls; at most " + std::to_string(limits.batch_max) +
                                            " are answered"));
    calls.calls.reserve(batch->size());
    for (std::size_t i = 0; i < batch->size(); ++i)
        calls.calls.push_back(to_call((*batch)[i], raw_ids, i));
    return calls;
}

RpcError too_long(std::size_t bytes, std::size_t bytes_max) {
    return {Code::InvalidRequest,
            "the body has " + std::to_string(bytes) + " bytes; at most " +
                std::to_string(bytes_max) + " are read"};
}

std::string result_text(std::string_view id, const json::value& result) {
    std::string text = R"({"jsonrpc":"2.0","id":)";
    text += id;
    text += R"(,"result":)";
    text += json::serialize(result);
    text += '}';
    return text;
}

std::string error_text(std::string_view id, const RpcError& error) {
    json::object body{{"code", static_cast<int>(error.code)}, {"message", error.message}};
    if (!error.data.empty()) body["data"] = error.data;
    std::string text = R"({"jsonrpc":"2.0","id":)";
    text += id;
    text += R"(,"error":)";
    text += json::serialize(body);
    text += '}';
    return text;
}

}  // namespace draco::rpc
