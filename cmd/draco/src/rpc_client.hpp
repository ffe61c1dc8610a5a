#pragma once
// JSON-RPC calls to a node. Blocks.

#include "draco/base/result.hpp"

#include "http_exchange.hpp"
#include "invocation.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace draco {

inline constexpr std::string_view kRpcPath = "/rpc/v0";
inline constexpr Duration kCallTimeout = std::chrono::seconds(10);

// Why a call has no result: the error with the node's message, and what the node said beside it.
struct CallError {
    Error error;
    int code = 0;  // of JSON-RPC; 0 if the node did not answer
    std::string reason;
    std::string where;
};

using RpcOutcome = Result<boost::json::value, CallError>;

struct RpcCall {
    std::string_view method;
    boost::json::array parameters;
};

inline constexpr int kRpcUnavailable = -32004;
inline constexpr std::size_t kRpcBatchMax = 100;  // calls that a node takes at once

std::string batch_body(const std::vector<RpcCall>& calls);
// In the order of the calls. An error if the answer is none to `count` calls.
Result<std::vector<RpcOutcome>> batch_outcomes(const HttpUrl& url,
                                               const HttpAnswer& answer,
                                               std::size_t count);

class RpcClient {
public:
    // `bearer`: the admin token that goes with each call.
    explicit RpcClient(HttpUrl url, std::string bearer = {})
        : url_(std::move(url)), bearer_(std::move(bearer)) {}

    // --node, or what the home says: a node's config.toml, a devnet's devnet.json.
    static Result<RpcClient> of(const Invocation& invocation);
    static Result<HttpUrl> url_of(const Invocation& invocation);

    RpcOutcome call(std::string_view method,
                    const boost::json::array& parameters,
                    Duration timeout = kCallTimeout) const;
    // The same with an error that needs no telling apart.
    Result<boost::json::value> ask(std::string_view method,
                                   const boost::json::array& parameters = {},
                                   Duration timeout = kCallTimeout) const;

    // At most kRpcBatchMax.
    Result<std::vector<RpcOutcome>> call_all(const std::vector<RpcCall>& calls,
                                             Duration timeout = kCallTimeout) const;

    struct Health {
        bool ok = false;
        std::string text;
    };

    Result<Health> health(Duration timeout = kCallTimeout) const;

    std::string url() const { return url_.text(); }

private:
    HttpUrl url_;
    std::string bearer_;
};

// The member of an answer, or Corrupt naming it.
Result<std::string> text_member(const boost::json::value& object, std::string_view name);
Result<std::uint64_t> number_member(const boost::json::value& object, std::string_view name);

}  // namespace draco
