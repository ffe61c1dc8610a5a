#include "draco/http/server.hpp"

#include "server_connection.hpp"

#include <utility>

namespace draco::http {

Bytes serialize_head(const Response& response,
                     UnixTime date,
                     bool keep_alive,
                     std::size_t content_length) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                       std::string(reason_phrase(response.status)) +
                       "\r\nDate: " + http_date(date) + "\r\n";
    for (const Field& field : response.fields.list)
        head += field.name + ": " + field.value + "\r\n";
    if (response.status != 204 && response.status != 304)
        head += "Content-Length: " + std::to_string(content_length) + "\r\n";
    if (!keep_alive) head += "Connection: close\r\n";
    head += "\r\n";
    return to_bytes(as_bytes(head));
}

namespace {

class ServerAcceptor final : public io::Acceptor {
public:
    explicit ServerAcceptor(std::shared_ptr<Server::State> server) : server_(std::move(server)) {}

    std::unique_ptr<io::StreamReceiver> accept(const io::Stream& stream) override {
        return server_->accept(stream);
    }

private:
    std::shared_ptr<Server::State> server_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(io::Network& network,
                                              Executor& executor,
                                              Handler& handler,
                                              const ServerOptions& options) {
    auto state = std::make_shared<State>(executor, handler, options);
    DRACO_TRY(listener,
              network.listen({.address = options.address,
                              .port = options.port,
                              .connections_max = options.connections_max,
                              .connections_per_address_max = options.connections_per_address_max,
                              .stream = {.receive_bytes_max = std::size_t{64} << 10,
                                         .send_bytes_max = options.response_bytes_max +
                                                           options.limits.fields_bytes_max,
                                         .idle_deadline = 2 * options.keep_alive}},
                             std::make_unique<ServerAcceptor>(state)));
    state->listener = std::move(listener);
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::~Server() {
    state_->stop();
}

std::uint16_t Server::port() const {
    return state_->listener->port();
}

ServerCounters Server::counters() const {
    return state_->counters();
}

}  // namespace draco::http
