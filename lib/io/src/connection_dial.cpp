// How a Connection comes to a connected socket: resolve, then try one address after the other.

#include "connection_dial.hpp"

#include "connection.hpp"

#include <tuple>

namespace draco::io::detail {

using boost::asio::ip::tcp;
using boost::system::error_code;

std::string to_text(const tcp::endpoint& endpoint) {
    const std::string address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(endpoint.port());
}

void Connection::start_connecting(const std::string& host,
                                  std::uint16_t port,
                                  std::unique_ptr<StreamReceiver> receiver,
                                  Duration deadline) {
    turn([&] {
        receiver_ = std::move(receiver);
        start_deadline_ = std::chrono::steady_clock::now() + deadline;
        if (!loop_->add(*this)) return finish(fail(Errc::Abandoned, "the network was stopped"));
        arm_timer();
        dial_ = std::make_unique<Dial>(loop_->context());
        dial_->target = host + ":" + std::to_string(port);
        error_code no_address;
        const auto address = boost::asio::ip::make_address(host, no_address);
        if (!no_address) {
            dial_->addresses = {tcp::endpoint(address, port)};
            return try_next_address();
        }
        dial_->resolver.async_resolve(
            host,
            std::to_string(port),
            tcp::resolver::numeric_service,
            [self = shared_from_this()](const error_code& error,
                                        const tcp::resolver::results_type& results) {
                self->turn([&] { self->resolved(error, results); });
            });
    });
}

void Connection::resolved(const error_code& error, const tcp::resolver::results_type& results) {
    if (state_ == State::Closed) return;
    if (error)
        return finish(fail(Errc::NotFound, "resolving " + dial_->target + ": " + error.message()));
    for (const auto& result : results) dial_->addresses.push_back(result.endpoint());
    try_next_address();
}

void Connection::try_next_address() {
    if (dial_->next == dial_->addresses.size())
        return finish(
            std::unexpected(socket_error("connecting to", dial_->target, dial_->last_error)));
    error_code ignored;
    std::ignore = socket_.close(ignored);
    socket_.async_connect(dial_->addresses[dial_->next++],
                          [self = shared_from_this()](const error_code& error) {
                              self->turn([&] { self->connected(error); });
                          });
}

void Connection::connected(const error_code& error) {
    if (state_ == State::Closed) return;
    if (error) {
        dial_->last_error = error.value();
        return try_next_address();
    }
    dial_.reset();
    begin();
}

}  // namespace draco::io::detail
