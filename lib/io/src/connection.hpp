#pragma once
#include "draco/io/network.hpp"

#include "connection_dial.hpp"
#include "event_loop.hpp"
#include "tls_session.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace draco::io::detail {

// Whom an accepted connection asks for its receiver, and tells about its end. Called on the
// connection's thread.
class ConnectionOwner {
public:
    virtual ~ConnectionOwner() = default;
    virtual std::unique_ptr<StreamReceiver> opened(const Stream& stream) = 0;
    virtual void finished(bool was_opened) = 0;
};

struct ConnectionTls {
    TlsIdentity identity;
    TlsRole role;
    TlsJudge judge;
};

// One connection. All of it happens on the loop's thread, in turns: a handler of Asio does its
// work, what the receiver and other threads have requested meanwhile is done, bytes are sent, and
// the next wait is armed (settle). Asio's handlers hold the connection; it ends when it is closed
// and they have run.
class Connection final : public std::enable_shared_from_this<Connection> {
public:
    enum Request : unsigned { Resume = 1, End = 2, Close = 4, Abort = 8 };

    Connection(std::shared_ptr<EventLoop> loop,
               const StreamOptions& options,
               std::optional<ConnectionTls> tls);
    ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Stream handle() { return Stream(shared_from_this()); }

    // ---- any thread

    Result<> write(std::span<Bytes> buffers);
    void request(Request request);
    std::string peer_address() const;
    std::optional<TlsPublicKey> peer_key() const;
    StreamCounters counters() const;

    // ---- the loop's thread; one of the first two, once

    void start_accepted(boost::asio::ip::tcp::socket socket,
                        std::shared_ptr<ConnectionOwner> owner,
                        Duration handshake_deadline);
    void start_connecting(const std::string& host,
                          std::uint16_t port,
                          std::unique_ptr<StreamReceiver> receiver,
                          Duration deadline);
    // Ends it with this error, whatever it is doing.
    void shut(const Error& why);

private:
    using Time = std::chrono::steady_clock::time_point;
    enum class State { Connecting, Handshaking, Open, Closed };

    // Turns.
    template <class Work>
    void turn(const Work& work) {
        begin_turn();
        work();
        settle();
    }

    void begin_turn();
    void settle();
    bool take_requests();
    void serve(unsigned requests);
    void wake();

    // Connecting (connection_dial.cpp).
    void resolved(const boost::system::error_code& error,
                  const boost::asio::ip::tcp::resolver::results_type& results);
    void try_next_address();
    void connected(const boost::system::error_code& error);

    void begin();  // the socket is connected
    void opened();
    void set_socket_options();

    // Receiving.
    void arm_read();
    void readable(std::size_t count);
    void received(ByteView bytes);
    void received_end();
    bool hears() const;
    void step_tls();
    void shake_hands();
    void decrypt();

    std::size_t room() const { return options_.receive_bytes_max - waiting_.size(); }

    void deliver(ByteView bytes);
    void resume();
    void peer_ended();

    // Sending.
    void flush();
    bool send_some();
    bool encrypt_some();
    std::size_t send(std::span<iovec> parts);
    void pop_sending(std::size_t bytes);
    void taken(std::size_t bytes);
    void wait_until_writable();
    bool end_sending();

    // Ending.
    void begin_close();
    void fail_handshake(const Error& why);
    void finish(Result<> why);
    void close_socket(bool reset);
    Time deadline() const;
    void arm_timer();
    void on_timer();

    const std::shared_ptr<EventLoop> loop_;
    const StreamOptions options_;
    std::optional<ConnectionTls> tls_setup_;

    // The loop's thread only.
    State state_ = State::Connecting;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<Dial> dial_;
    std::shared_ptr<ConnectionOwner> owner_;
    std::unique_ptr<StreamReceiver> receiver_;
    std::unique_ptr<TlsSession> tls_;
    Time start_deadline_;      // of connecting and the handshake
    Time last_progress_;       // bytes moved
    bool is_reading_ = false;  // a read is armed
    bool is_blocked_ = false;  // the system takes no more; a wait is armed
    bool end_requested_ = false;
    bool close_notify_made_ = false;
    bool end_sent_ = false;
    bool peer_ended_ = false;
    bool is_closing_ = false;  // discards what arrives
    Result<> close_reason_;    // told when closing is over
    Bytes waiting_;            // plain bytes that the receiver has not consumed
    Bytes undecrypted_;        // behind them, under TLS
    std::deque<Bytes> sending_;
    std::size_t sending_offset_ = 0;              // in the first of sending_
    std::size_t tls_output_offset_ = 0;           // in tls_->output()
    std::array<std::uint8_t, 4096> first_bytes_;  // a read that is armed holds memory: little

    // Any thread.
    std::atomic<std::uint64_t> bytes_received_{0};
    std::atomic<std::uint64_t> bytes_sent_{0};
    std::atomic<std::size_t> bytes_waiting_{0};

    mutable std::mutex mutex_;  // guards what follows
    bool in_turn_ = true;       // a turn is under way or on its way and will see requests
    bool is_shut_ = false;      // no request and no write will be taken
    bool refuses_writes_ = false;
    std::atomic<unsigned> requests_ = 0;  // read without the mutex by the loop
    std::vector<Bytes> written_;
    std::size_t queued_bytes_ = 0;  // written_ and sending_
    bool wants_writable_ = false;
    std::string peer_address_;
    std::optional<TlsPublicKey> peer_key_;
};

}  // namespace draco::io::detail
