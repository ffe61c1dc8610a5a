#pragma once
// One HTTP request to a node, answered or not. Blocks.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace draco {

// http://host[:port][/path]
struct HttpUrl {
    std::string host;
    std::uint16_t port = 4240;
    std::string path = "/";

    // InvalidArgument.
    static Result<HttpUrl> parse(std::string_view text);
};

struct HttpAnswer {
    int status = 0;
    std::string body;
};

inline constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

// A POST if there is a body, else a GET of `path`. Unavailable: nobody listens there.
// DeadlineExceeded. Corrupt: what answers does not speak HTTP.
Result<HttpAnswer> http_exchange(const HttpUrl& url,
                                 std::string_view path,
                                 std::string_view body,
                                 Duration timeout);

}  // namespace draco
