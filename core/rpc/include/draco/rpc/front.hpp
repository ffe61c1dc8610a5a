#pragma once
// The service as HTTP sees it: routes, methods, content types, status codes, CORS, and a bound on
// what one client asks. No sockets and no parsing: an HTTP server hands it whole requests.
//
//     POST /rpc/v0, /      JSON-RPC; 204 when there is no answer (notifications)
//     GET  /health         "OK", or 503 and {"status", "reason"}
//     GET  /metrics        Prometheus text
//     GET  /version        {"name", "version"}
//     OPTIONS              the CORS preflight of each
//
// Everything may be read from any web page (Access-Control-Allow-Origin: *): there are no cookies,
// and what changes the chain carries a signature. But no page may send Authorization, so none can
// administer a node. Errors are {"error", "hint"}.

#include "draco/base/clock.hpp"
#include "draco/rpc/service.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace draco::rpc {

struct FrontOptions {
    // Of one IPv4 address, or of one /64 of IPv6; each call of a batch counts. 0: unbounded.
    // /health is free.
    std::uint32_t requests_per_second = 200;
    std::uint32_t requests_burst = 1'000;
    std::size_t clients_max = 16'384;  // remembered at a time
};

struct FrontRequest {
    std::string method;  // as sent: "GET"
    std::string target;  // path and query
    std::string content_type;
    std::string body;
    std::string client;           // the peer's IP address, without its port
    std::string authorization{};  // the header's value; empty if there is none
};

struct FrontResponse {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // Content-Length is the server's
    std::string body;  // to HEAD, too: the server leaves it out
};

// Thread-safe.
class RpcFront {
public:
    using Done = std::move_only_function<void(FrontResponse)>;

    // Both outlive it.
    RpcFront(RpcService& service, const Clock& clock, FrontOptions options = {});
    ~RpcFront();
    RpcFront(const RpcFront&) = delete;
    RpcFront& operator=(const RpcFront&) = delete;

    // The longest body that is worth reading; a server may answer 413 by itself.
    std::size_t body_bytes_max() const;

    // `done` is called once, inside this call or as RpcService::handle says.
    void handle(const FrontRequest& request, Done done);

    // What to say of a body beyond body_bytes_max().
    FrontResponse body_too_long() const;

private:
    class Clients;

    void call(const FrontRequest& request, Done done);
    FrontResponse read(std::string_view path) const;

    RpcService& service_;
    const Clock& clock_;
    std::shared_ptr<Clients> clients_;  // also of bodies that wait in the service
};

}  // namespace draco::rpc
