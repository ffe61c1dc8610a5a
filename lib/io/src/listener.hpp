#pragma once
#include "connection.hpp"

#include <map>

namespace draco::io::detail {

// Accepts on one loop, deals the connections to all of them. Lives until it is closed and its last
// connection has finished.
class ListenerState final : public std::enable_shared_from_this<ListenerState> {
public:
    using Loops = std::vector<std::shared_ptr<EventLoop>>;

    ListenerState(Loops loops,
                  std::size_t first_loop,
                  const ListenOptions& options,
                  std::unique_ptr<Acceptor> acceptor);

    // Before it is shared.
    Result<> bind();

    // Any thread.
    void start();
    void request_close();

    std::uint16_t port() const { return port_; }

    ListenerCounters counters() const;

    // The loop's thread.
    void close();

private:
    class Visit;  // a connection's owner

    // What connections are counted by: an IPv4 address, or an IPv6 network of 64 bits.
    using Source = std::array<std::uint8_t, 8>;

    static Source source_of(const boost::asio::ip::tcp::socket& socket);

    // The connection's thread.
    std::unique_ptr<StreamReceiver> opened(const Stream& stream);
    void finished(bool was_opened, const Source& source);

    bool enter(const Source& source);
    void leave(const Source& source);

    void arm();
    void accepted(const boost::system::error_code& error,
                  const std::shared_ptr<EventLoop>& loop,
                  boost::asio::ip::tcp::socket socket);
    void pause();

    const Loops loops_;
    const std::shared_ptr<EventLoop> loop_;
    const ListenOptions options_;
    std::uint16_t port_ = 0;
    const std::unique_ptr<Acceptor> factory_;

    // The loop's thread.
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer retry_;
    std::size_t next_loop_;
    bool is_waiting_ = false;  // for a connection or the retry

    std::mutex mutex_;
    std::map<Source, std::size_t> connections_from_;  // guarded by mutex_

    std::atomic<bool> is_closed_{false};
    std::atomic<std::size_t> connections_{0};
    std::atomic<std::uint64_t> accepted_{0};
    std::atomic<std::uint64_t> opened_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> accept_pauses_{0};
};

}  // namespace draco::io::detail
