#pragma once
// An HTTP/1.1 server over io::Network, for APIs: whole requests in, whole responses out, one
// request of a connection at a time. A client that sends on gets its answers in order; TCP holds
// back what it sends meanwhile.
//
// Bounds: connections in all and per address; the bytes of a request and of a response; the time
// from the first byte of a request to its last, and between two requests. A response that the
// client does not take keeps its connection until StreamOptions::idle_deadline.

#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/http/message.hpp"
#include "draco/io/network.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace draco::http {

// The one answer to one request. Any thread may use it; destroyed without respond(): 500. The
// client may be gone, which nobody hears of.
class Responder {
public:
    virtual ~Responder() = default;
    // Once. The server adds Date, Content-Length and Connection.
    virtual void respond(Response response) = 0;
};

class Handler {
public:
    virtual ~Handler() = default;
    // On threads of the Network, for several connections at the same time; quick, without
    // throwing. `client` is "address:port".
    virtual void on_request(Request request,
                            const std::string& client,
                            std::unique_ptr<Responder> responder) = 0;
};

struct ServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: the system chooses
    std::size_t connections_max = 1024;
    std::size_t connections_per_address_max = 256;
    Duration request_deadline = std::chrono::seconds(10);
    Duration keep_alive = std::chrono::seconds(60);
    std::size_t response_bytes_max = std::size_t{16} << 20;  // a longer one becomes a 500
    ParseLimits limits{};
};

struct ServerCounters {
    std::size_t connections = 0;
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;    // what is no request
    std::uint64_t timed_out = 0;  // connections ended by request_deadline

    bool operator==(const ServerCounters&) const = default;
};

class Server {
public:
    // `network`, `executor` and `handler` outlive the server; the handler also every Responder that
    // it holds. Errors: those of Network::listen.
    static Result<std::unique_ptr<Server>> start(io::Network& network,
                                                 Executor& executor,
                                                 Handler& handler,
                                                 const ServerOptions& options);
    // Stops listening, resets the connections, and returns when the handler is not being called and
    // will not be.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const;
    ServerCounters counters() const;

    class State;

private:
    explicit Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

    std::shared_ptr<State> state_;
};

// Head and body as they go over the wire.
Bytes serialize_head(const Response& response,
                     UnixTime date,
                     bool keep_alive,
                     std::size_t content_length);

}  // namespace draco::http
