#pragma once
// One request, one response, for command lines and tests. Plain HTTP/1.1.

#include "draco/base/result.hpp"
#include "draco/http/message.hpp"
#include "draco/io/network.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace draco::http {

// "http://host[:port][/path[?query]]"; the host may be an IPv6 address in brackets.
struct Url {
    std::string host;
    std::uint16_t port = 80;
    std::string target = "/";

    bool operator==(const Url&) const = default;
};

// InvalidArgument says what is wrong with it.
Result<Url> parse_url(std::string_view text);

struct Exchange {
    Url url;
    std::string method = "GET";
    Fields fields;  // Host, Content-Length and Connection are added
    Bytes body;
    Duration deadline = std::chrono::seconds(10);  // to connect, and of silence after that
    std::size_t response_bytes_max = std::size_t{64} << 20;
};

// `done` is called once, on a thread of the network. Errors: those of io::StreamReceiver::on_close
// (Unavailable: nobody listens there), Corrupt for what is no HTTP response.
void send(io::Network& network,
          const Exchange& exchange,
          std::move_only_function<void(Result<Response>)> done);

// Waits. Never on a thread of the network.
Result<Response> send_and_wait(io::Network& network, const Exchange& exchange);

}  // namespace draco::http
