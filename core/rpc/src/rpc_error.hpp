#pragma once
// What a call is answered with when it has no result.

#include "draco/base/result.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace draco::rpc {

// JSON-RPC 2.0 section 5.1, and ours from -32000 on. Values are what clients switch on: never
// renumber.
enum class Code : int {
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParameters = -32602,
    Internal = -32603,
    NotFound = -32000,
    Busy = -32001,         // data.retry_after_ms
    Refused = -32002,      // data.reason
    Deadline = -32003,     // whether it will be done is unknown
    Unavailable = -32004,  // this node cannot now
    TooLarge = -32005,     // the answer is; ask for less
    NotAdmin = -32006,     // without the node's admin token
};

inline constexpr std::uint64_t kRetryAfterMs = 1'000;

struct RpcError {
    Code code;
    std::string message;
    boost::json::object data{};

    RpcError(Code error_code, std::string text, boost::json::object details = {})
        : code(error_code), message(std::move(text)), data(std::move(details)) {}

    // NOLINTNEXTLINE(google-explicit-constructor): lets DRACO_TRY pass a component's error on.
    RpcError(const Error& error);
};

template <class T>
using Outcome = Result<T, RpcError>;

// `parameter` did not hold what was `expected` but what was `found`.
std::unexpected<RpcError> bad_parameter(std::string_view parameter,
                                        const std::string& expected,
                                        const std::string& found);

RpcError busy(std::string message);

// Foreign text for a message: valid UTF-8, at most 64 bytes of it.
std::string shown(std::string_view text);

}  // namespace draco::rpc
