#include "draco/handshake/session_server.hpp"

#include "server_state.hpp"
#include "session_connection.hpp"

namespace draco::handshake {
namespace {

class SessionAcceptor final : public io::Acceptor {
public:
    explicit SessionAcceptor(std::shared_ptr<SessionServer::State> state)
        : state_(std::move(state)) {}

    std::unique_ptr<io::StreamReceiver> accept(const io::Stream& stream) override {
        return std::make_unique<SessionConnection>(state_, stream);
    }

private:
    std::shared_ptr<SessionServer::State> state_;
};

// Connections that are about to be told that there are too many.
constexpr std::size_t kConnectionsBeyond = 64;

}  // namespace

Result<std::unique_ptr<SessionServer>> SessionServer::start(const SessionServerParts& parts,
                                                            const SessionServerOptions& options) {
    auto state = std::make_shared<State>(parts, options);
    const SessionLimits& limits = options.limits;
    DRACO_TRY(
        listener,
        parts.network.listen(
            {.address = options.address,
             .port = options.port,
             .connections_max = limits.sessions_max + kConnectionsBeyond,
             .connections_per_address_max = limits.sessions_per_network_max + kConnectionsBeyond,
             .handshake_deadline = limits.handshake_deadline,
             .tls = io::ListenTls{.identity = parts.identity, .admit = {}, .anonymous = true},
             .stream = {.send_bytes_max = options.send_bytes_max,
                        .idle_deadline = limits.idle_deadline}},
            std::make_unique<SessionAcceptor>(state)));
    std::unique_ptr<SessionServer> server(new SessionServer);
    server->state_ = std::move(state);
    server->listener_ = std::move(listener);
    return server;
}

SessionServer::~SessionServer() {
    listener_.reset();
    state_->close();
}

std::uint16_t SessionServer::port() const {
    return listener_->port();
}

SessionCounters SessionServer::counters() const {
    return state_->counters();
}

}  // namespace draco::handshake
