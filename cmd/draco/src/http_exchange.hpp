#pragma once
// One HTTP request to a node, answered or not.

#include "draco/base/bytes.hpp"
#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace draco {

inline constexpr std::uint16_t kRpcPort = 4240;

// Where a node answers JSON-RPC.
struct HttpUrl {
    std::string host;
    std::uint16_t port = kRpcPort;

    // "host", "host:port" or an http:// URL of either, whose path is ignored. InvalidArgument.
    static Result<HttpUrl> parse(std::string_view text);
    std::string text() const;
};

struct HttpAnswer {
    unsigned status = 0;
    std::string body;
};

// A POST if there is a body, else a GET of `path`; `bearer` is sent as authorization. Blocks.
// Unavailable: nobody listens there, or it does not answer. Corrupt: what answers does not speak
// HTTP.
Result<HttpAnswer> http_exchange(const HttpUrl& url,
                                 std::string_view path,
                                 std::string_view body,
                                 Duration timeout,
                                 std::string_view bearer = {});

struct HttpCall {
    std::string method = "GET";
    std::string target;
    Bytes body{};
    std::string content_type = "application/octet-stream";  // of the body, if there is one
    std::string bearer{};
};

// Any request. As above.
Result<HttpAnswer> http_request(const HttpUrl& url, HttpCall call, Duration timeout);

// The same without blocking or authorization: `done` is called once, on a thread of the network.
void begin_http_exchange(const HttpUrl& url,
                         std::string_view path,
                         std::string_view body,
                         Duration timeout,
                         std::move_only_function<void(Result<HttpAnswer>)> done);

}  // namespace draco
