#include "listener.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <tuple>

namespace draco::io::detail {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAcceptRetryDelay = std::chrono::milliseconds(100);

Error listen_error(const ListenOptions& options, const error_code& error) {
    const int number = error.value();
    const std::string text = "listening on " + options.address + " port " +
                             std::to_string(options.port) + ": " + error.message();
    switch (number) {
        case EADDRINUSE:
            return {Errc::AlreadyExists, text + "; choose another port or end who has it"};
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
        case EINVAL:
            return {Errc::InvalidArgument, text + "; give an IP address of this machine"};
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return {Errc::Exhausted, text + "; raise the limit on open files (ulimit -n)"};
        case EACCES:
            return {Errc::Io, text + "; ports below 1024 need the right to bind them"};
        default:
            return {Errc::Io, text};
    }
}

}  // namespace

class ListenerState::Visit final : public ConnectionOwner {
public:
    Visit(std::shared_ptr<ListenerState> listener, const Source& source)
        : listener_(std::move(listener)), source_(source) {}

    std::unique_ptr<StreamReceiver> opened(const Stream& stream) override {
        return listener_->opened(stream);
    }

    void finished(bool was_opened) override { listener_->finished(was_opened, source_); }

private:
    const std::shared_ptr<ListenerState> listener_;
    const Source source_;
};

ListenerState::ListenerState(Loops loops,
                             std::size_t first_loop,
                             const ListenOptions& options,
                             std::unique_ptr<Acceptor> acceptor)
    : loops_(std::move(loops)),
      loop_(loops_[first_loop]),
      options_(options),
      factory_(std::move(acceptor)),
      acceptor_(loop_->context()),
      retry_(loop_->context()),
      next_loop_(first_loop) {}

Result<> ListenerState::bind() {
    error_code error;
    const auto address = boost::asio::ip::make_address(options_.address, error);
    const tcp::endpoint endpoint(address, options_.port);
    if (!error) std::ignore = acceptor_.open(endpoint.protocol(), error);
    if (!error) std::ignore = acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) std::ignore = acceptor_.bind(endpoint, error);
    if (!error)
        std::ignore = acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (error) return std::unexpected(listen_error(options_, error));
    return {};
}

void ListenerState::start() {
    loop_->post([self = shared_from_this()] {
        if (self->is_closed_ || !self->loop_->add(*self)) return self->close();
        self->arm();
    });
}

void ListenerState::request_close() {
    if (is_closed_.exchange(true)) return;
    loop_->post([self = shared_from_this()] { self->close(); });
}

void ListenerState::close() {
    is_closed_ = true;
    error_code ignored;
    std::ignore = acceptor_.close(ignored);
    retry_.cancel();
    loop_->remove(*this);
}

ListenerCounters ListenerState::counters() const {
    return {.connections = connections_,
            .accepted = accepted_,
            .opened = opened_,
            .refused = refused_,
            .accept_pauses = accept_pauses_};
}

void ListenerState::arm() {
    if (is_closed_ || is_waiting_ || connections_ >= options_.connections_max) return;
    is_waiting_ = true;
    const auto& loop = loops_[next_loop_++ % loops_.size()];
    acceptor_.async_accept(
        loop->context(),
        [self = shared_from_this(), loop](const error_code& error, tcp::socket socket) {
            self->is_waiting_ = false;
            self->accepted(error, loop, std::move(socket));
            self->arm();
        });
}

void ListenerState::accepted(const error_code& error,
                             const std::shared_ptr<EventLoop>& loop,
                             tcp::socket socket) {
    if (is_closed_) return;
    if (error == boost::asio::error::connection_aborted) return;  // gone while it was queued
    if (error) return pause();
    ++accepted_;
    const Source source = source_of(socket);
    if (!enter(source)) {
        ++refused_;
        error_code ignored;
        std::ignore = socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        return;
    }
    ++connections_;
    std::optional<ConnectionTls> tls;
    if (options_.tls)
        tls = ConnectionTls{
            .identity = options_.tls->identity,
            .role = options_.tls->anonymous ? TlsRole::PublicListener : TlsRole::Listener,
            .judge =
                [self = shared_from_this()](const TlsPublicKey& key) -> std::optional<std::string> {
                if (self->options_.tls->admit(key)) return std::nullopt;
                return "the peer's key " + to_base58(key.view()) + " is not admitted";
            }};
    auto connection = std::make_shared<Connection>(loop, options_.stream, std::move(tls));
    loop->post([deadline = options_.handshake_deadline,
                visit = std::make_shared<Visit>(shared_from_this(), source),
                connection,
                socket = std::move(socket)]() mutable {
        connection->start_accepted(std::move(socket), std::move(visit), deadline);
    });
}

ListenerState::Source ListenerState::source_of(const tcp::socket& socket) {
    error_code unconnected;
    const auto address = socket.remote_endpoint(unconnected).address();
    Source source{};
    if (address.is_v4()) {
        std::ranges::copy(address.to_v4().to_bytes(), source.begin());
    } else if (address.to_v6().is_v4_mapped()) {
        std::ranges::copy(ByteView(address.to_v6().to_bytes()).subspan(12), source.begin());
    } else {
        std::ranges::copy(ByteView(address.to_v6().to_bytes()).first(source.size()),
                          source.begin());
    }
    return source;
}

bool ListenerState::enter(const Source& source) {
    const std::lock_guard lock(mutex_);
    std::size_t& count = connections_from_[source];
    if (count >= std::max<std::size_t>(options_.connections_per_address_max, 1)) return false;
    ++count;
    return true;
}

void ListenerState::leave(const Source& source) {
    const std::lock_guard lock(mutex_);
    const auto found = connections_from_.find(source);
    if (--found->second == 0) connections_from_.erase(found);
}

void ListenerState::pause() {
    ++accept_pauses_;
    is_waiting_ = true;
    retry_.expires_after(kAcceptRetryDelay);
    retry_.async_wait([self = shared_from_this()](const error_code&) {
        self->is_waiting_ = false;
        self->arm();
    });
}

std::unique_ptr<StreamReceiver> ListenerState::opened(const Stream& stream) {
    auto receiver = is_closed_ ? nullptr : factory_->accept(stream);
    if (receiver) ++opened_;
    return receiver;
}

void ListenerState::finished(bool was_opened, const Source& source) {
    leave(source);
    const bool was_full = connections_.fetch_sub(1) == options_.connections_max;
    if (!was_opened) ++refused_;  // last: its place is free for whoever sees it counted
    if (was_full && !is_closed_) loop_->post([self = shared_from_this()] { self->arm(); });
}

}  // namespace draco::io::detail
