#pragma once
// The front on a listening socket.

#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/http/server.hpp"
#include "draco/io/network.hpp"
#include "draco/rpc/front.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace draco::rpc {

struct RpcServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: the system chooses
    std::size_t connections_max = 1024;
    std::uint32_t requests_per_s = 200;  // calls of one client, see FrontOptions; 0: unbounded
};

// Another part of the node on the same port: requests whose path begins with `prefix` go to
// `handler`, which judges by itself who may ask it.
struct Mount {
    std::string prefix;
    http::Handler* handler = nullptr;  // outlives the server
};

// Thread-safe.
class RpcServer {
public:
    // All outlive the server; what it still waits for may be answered after its end. Errors: those
    // of Network::listen.
    static Result<std::unique_ptr<RpcServer>> start(io::Network& network,
                                                    Executor& executor,
                                                    RpcService& service,
                                                    const RpcServerOptions& options,
                                                    std::vector<Mount> mounts = {});
    // Stops listening and resets the connections.
    ~RpcServer();
    RpcServer(const RpcServer&) = delete;
    RpcServer& operator=(const RpcServer&) = delete;

    std::uint16_t port() const;
    http::ServerCounters counters() const;

private:
    class Routes;

    explicit RpcServer(std::unique_ptr<Routes> routes);

    std::unique_ptr<Routes> routes_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace draco::rpc
