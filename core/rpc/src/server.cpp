#include "draco/rpc/server.hpp"

#include <utility>

namespace draco::rpc {
namespace {

// A client that sends in bursts may use up so many seconds at once.
constexpr std::uint32_t kBurstSeconds = 5;

// "192.0.2.1:80" and "[2001:db8::1]:80" without the port.
std::string address_of(const std::string& client) {
    std::string address = client.substr(0, client.rfind(':'));
    if (address.size() >= 2 && address.front() == '[' && address.back() == ']')
        address = address.substr(1, address.size() - 2);
    return address;
}

http::Response to_http(FrontResponse response) {
    http::Response made;
    made.status = static_cast<unsigned>(response.status);
    for (auto& [name, value] : response.headers) made.fields.add(std::move(name), std::move(value));
    made.body = to_bytes(as_bytes(response.body));
    return made;
}

FrontOptions front_options(const RpcServerOptions& options) {
    return {
        .requests_per_second = options.requests_per_s,
        .requests_burst =
            checked_mul(options.requests_per_s, kBurstSeconds).value_or(options.requests_per_s)};
}

}  // namespace

class RpcServer::Routes final : public http::Handler {
public:
    Routes(RpcService& service,
           const Clock& clock,
           const FrontOptions& options,
           std::vector<Mount> mounts)
        : front_(service, clock, options), mounts_(std::move(mounts)) {}

    void on_request(http::Request request,
                    const std::string& client,
                    std::unique_ptr<http::Responder> responder) override {
        for (const Mount& mount : mounts_)
            if (request.target.starts_with(mount.prefix))
                return mount.handler->on_request(std::move(request), client, std::move(responder));
        front_.handle(
            {.method = std::move(request.method),
             .target = std::move(request.target),
             .content_type = std::string(request.fields.find("Content-Type").value_or("")),
             .body = std::string(as_text(request.body)),
             .client = address_of(client),
             .authorization = std::string(request.fields.find("Authorization").value_or(""))},
            [responder = std::move(responder)](FrontResponse response) {
                responder->respond(to_http(std::move(response)));
            });
    }

private:
    RpcFront front_;
    const std::vector<Mount> mounts_;
};

RpcServer::RpcServer(std::unique_ptr<Routes> routes) : routes_(std::move(routes)) {}

RpcServer::~RpcServer() = default;

Result<std::unique_ptr<RpcServer>> RpcServer::start(io::Network& network,
                                                    Executor& executor,
                                                    RpcService& service,
                                                    const RpcServerOptions& options,
                                                    std::vector<Mount> mounts) {
    std::unique_ptr<RpcServer> made(new RpcServer(std::make_unique<Routes>(
        service, executor.clock(), front_options(options), std::move(mounts))));
    http::ServerOptions server_options{.address = options.address,
                                       .port = options.port,
                                       .connections_max = options.connections_max};
    server_options.limits.body_bytes_max = service.limits().body_bytes_max;
    DRACO_TRY(server, http::Server::start(network, executor, *made->routes_, server_options));
    made->server_ = std::move(server);
    return made;
}

std::uint16_t RpcServer::port() const {
    return server_->port();
}

http::ServerCounters RpcServer::counters() const {
    return server_->counters();
}

}  // namespace draco::rpc
