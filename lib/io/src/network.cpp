#include "draco/io/network.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "connection.hpp"
#include "event_loop.hpp"
#include "listener.hpp"

#include <boost/system/system_error.hpp>

#include <latch>
#include <mutex>

namespace draco::io {
namespace {

std::optional<detail::ConnectionTls> dialer_tls(const std::optional<ConnectTls>& tls) {
    if (!tls) return std::nullopt;
    return detail::ConnectionTls{
        .identity = tls->identity,
        .role = TlsRole::Dialer,
        .judge = [expected = tls->expected](const TlsPublicKey& key) -> std::optional<std::string> {
            if (!expected || key == *expected) return std::nullopt;
            return "the peer's key is " + to_base58(key.view()) + " where " +
                   to_base58(expected->view()) + " was expected";
        }};
}

}  // namespace

struct Network::Threads {
    std::vector<std::shared_ptr<detail::EventLoop>> loops;
    std::mutex mutex;  // guards what follows
    bool stopping = false;
    std::size_t next_loop = 0;

    std::mutex join_mutex;  // held while the threads are brought to their end
    bool joined = false;
};

Result<std::unique_ptr<Network>> Network::start(const NetworkOptions& options) {
    if (options.thread_count == 0)
        return fail(Errc::InvalidArgument, "network " + options.name + " needs a thread");
    std::unique_ptr<Network> network(new Network);
    network->threads_ = std::make_unique<Threads>();
    auto& loops = network->threads_->loops;
    try {
        for (std::size_t i = 0; i < options.thread_count; ++i) {
            auto loop = std::make_shared<detail::EventLoop>();
            loop->start(options.name + "-" + std::to_string(i));
            loops.push_back(std::move(loop));
        }
    } catch (const std::system_error& error) {  // Boost's derives from it
        return fail(Errc::Exhausted,
                    "starting thread " + std::to_string(loops.size() + 1) + " of network " +
                        options.name + ": " + error.what() +
                        "; raise the limits on threads and open files (ulimit -u, -n)");
    }
    return network;
}

// NOLINTNEXTLINE(bugprone-exception-escape): only for want of memory, which ends the process
Network::~Network() {
    stop();
}

Result<std::unique_ptr<Listener>> Network::listen(const ListenOptions& options,
                                                  std::unique_ptr<Acceptor> acceptor) {
    const std::lock_guard lock(threads_->mutex);
    if (threads_->stopping) return fail(Errc::Unavailable, "listening: the network is stopped");
    auto state = std::make_shared<detail::ListenerState>(
        threads_->loops, threads_->next_loop, options, std::move(acceptor));
    DRACO_TRY_VOID(state->bind());
    threads_->next_loop = (threads_->next_loop + 1) % threads_->loops.size();
    state->start();
    return std::make_unique<Listener>(std::move(state));
}

Result<Stream> Network::connect(const ConnectOptions& options,
                                std::unique_ptr<StreamReceiver> receiver) {
    const std::lock_guard lock(threads_->mutex);
    if (threads_->stopping) return fail(Errc::Unavailable, "connecting: the network is stopped");
    const auto& loop = threads_->loops[threads_->next_loop];
    threads_->next_loop = (threads_->next_loop + 1) % threads_->loops.size();
    auto connection =
        std::make_shared<detail::Connection>(loop, options.stream, dialer_tls(options.tls));
    loop->post([connection,
                host = options.host,
                port = options.port,
                deadline = options.deadline,
                receiver = std::move(receiver)]() mutable {
        connection->start_connecting(host, port, std::move(receiver), deadline);
    });
    return connection->handle();
}

void Network::stop() {
    const auto& loops = threads_->loops;
    for (const auto& loop : loops)
        DRACO_ASSERT(!loop->is_this_thread(), "a network's own thread does not stop it");
    {
        const std::lock_guard lock(threads_->mutex);
        threads_->stopping = true;
    }
    const std::lock_guard lock(threads_->join_mutex);
    if (std::exchange(threads_->joined, true)) return;
    // First all close, so that none deals a connection to a thread that has ended.
    std::latch closed(static_cast<std::ptrdiff_t>(loops.size()));
    for (const auto& loop : loops)
        loop->post([&] {
            loop->close_all();
            closed.count_down();
        });
    closed.wait();
    for (const auto& loop : loops) loop->release();
    for (const auto& loop : loops) loop->join();
}

NetworkCounters Network::counters() const {
    NetworkCounters sum;
    for (const auto& loop : threads_->loops) {
        sum.connections += loop->connections;
        sum.bytes_received += loop->bytes_received;
        sum.bytes_sent += loop->bytes_sent;
    }
    return sum;
}

Listener::~Listener() {
    state_->request_close();
}

std::uint16_t Listener::port() const {
    return state_->port();
}

ListenerCounters Listener::counters() const {
    return state_->counters();
}

Result<> Stream::write(std::span<Bytes> buffers) const {
    return connection_->write(buffers);
}

void Stream::resume_reading() const {
    connection_->request(detail::Connection::Resume);
}

void Stream::end() const {
    connection_->request(detail::Connection::End);
}

void Stream::close() const {
    connection_->request(detail::Connection::Close);
}

void Stream::abort() const {
    connection_->request(detail::Connection::Abort);
}

std::string Stream::peer_address() const {
    return connection_->peer_address();
}

std::optional<TlsPublicKey> Stream::peer_key() const {
    return connection_->peer_key();
}

StreamCounters Stream::counters() const {
    return connection_->counters();
}

}  // namespace draco::io
