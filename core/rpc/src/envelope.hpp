#pragma once
// The outer form of JSON-RPC 2.0: text to calls, and results back to text.

#include "draco/rpc/service.hpp"

#include "rpc_error.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::rpc {

struct Call {
    // As JSON text, to be echoed as it came; absent: a notification, which has no answer.
    std::optional<std::string> id;
    std::string method;
    boost::json::value parameters;    // null, an array or an object
    std::optional<RpcError> invalid;  // the call cannot be made; the rest is not set
};

struct Calls {
    bool batch = false;
    std::vector<Call> calls;  // not empty
};

// The error is answered alone, with id null. Time is linear and memory a constant times the body.
Outcome<Calls> parse_calls(std::string_view body, const ServiceLimits& limits);

RpcError too_long(std::size_t bytes, std::size_t bytes_max);

std::string result_text(std::string_view id, const boost::json::value& result);
std::string error_text(std::string_view id, const RpcError& error);

inline constexpr std::string_view kNullId = "null";

}  // namespace draco::rpc
