#pragma once
// JSON-RPC calls to a node. Blocks. Not thread-safe.

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
        : urls_({std::move(url)}), bearer_(std::move(bearer)) {}

    // --node, or what the home says: a node's config.toml, or a devnet's devnet.json. Of a devnet
    // the running nodes are asked one after the other until one answers, beginning with the one
    // that answered last. A transaction may reach several: its bytes, and so its nonce, are the
    // same.
    static Result<RpcClient> of(const Invocation& invocation);
    // Of one node: the first running one of a devnet.
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

    // That is asked first: the one that answered last.
    std::string url() const { return urls_[first_].text(); }

private:
    RpcClient(std::vector<HttpUrl> urls, std::string advice)
        : urls_(std::move(urls)), advice_(std::move(advice)) {}

    Result<HttpAnswer> exchange(std::string_view path,
                                std::string_view body,
                                Duration timeout) const;

    std::vector<HttpUrl> urls_;  // at least one
    std::string bearer_;
    std::string advice_;             // what to do when nobody answers
    mutable std::size_t first_ = 0;  // remembers who answers; one thread at a time
};

// The member of an answer, or Corrupt naming it.
Result<std::string> text_member(const boost::json::value& object, std::string_view name);
Result<std::uint64_t> number_member(const boost::json::value& object, std::string_view name);

}  // namespace draco
