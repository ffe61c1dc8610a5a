#include "connection.hpp"

#include "draco/base/assert.hpp"

#include "system_error.hpp"

#include <boost/asio/buffer.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace draco::io::detail {
namespace {

using boost::system::error_code;

// More than this and the thread turns to other connections first.
constexpr int kRoundsPerTurnMax = 16;

}  // namespace

Connection::Connection(std::shared_ptr<EventLoop> loop,
                       const StreamOptions& options,
                       std::optional<ConnectionTls> tls)
    : loop_(std::move(loop)),
      options_(options),
      tls_setup_(std::move(tls)),
      socket_(loop_->context()),
      timer_(loop_->context()) {}

// ---------------------------------------------------------------- any thread

Result<> Connection::write(std::span<Bytes> buffers) {
    std::size_t size = 0;
    for (const Bytes& buffer : buffers) size += buffer.size();
    const std::lock_guard lock(mutex_);
    if (is_shut_) return fail(Errc::Unavailable, "writing to " + peer_address_ + ": it is closed");
    if (refuses_writes_)
        return fail(Errc::InvalidArgument, "writing to " + peer_address_ + " after its end");
    if (size > options_.send_bytes_max)
        return fail(Errc::InvalidArgument,
                    "writing " + std::to_string(size) + " bytes at once where " +
                        std::to_string(options_.send_bytes_max) + " may be queued");
    if (queued_bytes_ + size > options_.send_bytes_max) {
        wants_writable_ = true;
        return fail(Errc::Exhausted,
                    "writing to " + peer_address_ + ": " + std::to_string(queued_bytes_) +
                        " bytes are queued already; wait for on_writable");
    }
    for (Bytes& buffer : buffers)
        if (!buffer.empty()) written_.push_back(std::move(buffer));
    queued_bytes_ += size;
    wake();
    return {};
}

void Connection::request(Request request) {
    const std::lock_guard lock(mutex_);
    if (is_shut_) return;
    requests_ |= request;
    if ((request & (End | Close)) != 0) refuses_writes_ = true;
    wake();
}

// With the mutex held.
void Connection::wake() {
    if (in_turn_ || is_shut_) return;
    in_turn_ = true;
    loop_->post([self = shared_from_this()] { self->turn([] {}); });
}

std::string Connection::peer_address() const {
    const std::lock_guard lock(mutex_);
    return peer_address_;
}

std::optional<TlsPublicKey> Connection::peer_key() const {
    const std::lock_guard lock(mutex_);
    return peer_key_;
}

StreamCounters Connection::counters() const {
    const std::lock_guard lock(mutex_);
    return {.bytes_received = bytes_received_,
            .bytes_sent = bytes_sent_,
            .bytes_queued = queued_bytes_,
            .bytes_waiting = bytes_waiting_};
}

// ---------------------------------------------------------------- turns

void Connection::begin_turn() {
    const std::lock_guard lock(mutex_);
    in_turn_ = true;
}

void Connection::settle() {
    for (int round = 0; round < kRoundsPerTurnMax; ++round) {
        flush();
        arm_read();
        if (!take_requests()) return;
    }
    loop_->post([self = shared_from_this()] { self->turn([] {}); });
}

// Serves what was asked for since the last time. False if nothing was: the turn is over.
bool Connection::take_requests() {
    unsigned requests = 0;
    {
        const std::lock_guard lock(mutex_);
        if (state_ == State::Closed || (requests_ == 0 && written_.empty())) {
            in_turn_ = false;
            return false;
        }
        requests = requests_.exchange(0);
        std::ranges::move(written_, std::back_inserter(sending_));
        written_.clear();
    }
    serve(requests);
    return true;
}

void Connection::serve(unsigned requests) {
    if ((requests & Abort) != 0) return finish(fail(Errc::Abandoned, "the stream was aborted"));
    if ((requests & (End | Close)) != 0) end_requested_ = true;
    if ((requests & Close) != 0) begin_close();
    if ((requests & Resume) != 0) resume();
}

// ---------------------------------------------------------------- beginning

void Connection::start_accepted(boost::asio::ip::tcp::socket socket,
                                std::shared_ptr<ConnectionOwner> owner,
                                Duration handshake_deadline) {
    turn([&] {
        owner_ = std::move(owner);
        socket_ = std::move(socket);
        start_deadline_ = std::chrono::steady_clock::now() + handshake_deadline;
        if (!loop_->add(*this)) return finish(fail(Errc::Abandoned, "the network was stopped"));
        arm_timer();
        begin();
    });
}

void Connection::begin() {
    error_code ignored;
    const auto endpoint = socket_.remote_endpoint(ignored);
    {
        const std::lock_guard lock(mutex_);
        peer_address_ = to_text(endpoint);
    }
    set_socket_options();
    state_ = State::Handshaking;
    if (!tls_setup_) return opened();
    tls_ = TlsSession::create(tls_setup_->identity, tls_setup_->role, std::move(tls_setup_->judge));
    if (!tls_) return finish(fail(Errc::Exhausted, "no memory for a TLS session"));
    shake_hands();
}

void Connection::set_socket_options() {
    error_code ignored;
    std::ignore = socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.idle_deadline).count();
    const auto timeout_ms = static_cast<unsigned>(std::clamp<std::int64_t>(ms, 1, INT32_MAX));
    ::setsockopt(
        socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

void Connection::opened() {
    if (tls_) {
        const std::lock_guard lock(mutex_);
        peer_key_ = tls_->peer_key();
    }
    if (owner_) receiver_ = owner_->opened(handle());
    if (!receiver_) return finish(fail(Errc::Abandoned, "the owner refused the connection"));
    state_ = State::Open;
    last_progress_ = std::chrono::steady_clock::now();
    arm_timer();
    if (hears()) receiver_->on_open(handle());
}

// ---------------------------------------------------------------- receiving

// Whether the receiver wants to be told.
bool Connection::hears() const {
    return state_ == State::Open && !is_closing_ && (requests_ & (Abort | Close)) == 0;
}

// An armed read holds little memory; what a busy connection brings goes to the loop's buffer.
void Connection::arm_read() {
    if (state_ != State::Handshaking && state_ != State::Open) return;
    if (is_reading_ || peer_ended_) return;
    std::size_t size = first_bytes_.size();
    if (!is_closing_) {
        if (room() == 0 || !undecrypted_.empty()) return;
        if (!tls_) size = std::min(size, room());
    }
    is_reading_ = true;
    socket_.async_read_some(
        boost::asio::buffer(first_bytes_.data(), size),
        [self = shared_from_this()](const error_code& error, std::size_t count) {
            self->turn([&] {
                self->is_reading_ = false;
                if (self->state_ == State::Closed) return;
                if (error == boost::asio::error::eof) return self->received_end();
                if (error)
                    return self->finish(std::unexpected(
                        socket_error("receiving from", self->peer_address(), error.value())));
                self->readable(count);
            });
        });
}

void Connection::readable(std::size_t count) {
    ByteView bytes(first_bytes_.data(), count);
    if (count == first_bytes_.size()) {
        MutByteView buffer = loop_->network_bytes();
        if (!tls_ && !is_closing_) buffer = buffer.first(std::min(buffer.size(), room()));
        std::ranges::copy(bytes, buffer.begin());
        const ssize_t more = uninterrupted([&] {
            return ::recv(socket_.native_handle(),
                          buffer.data() + count,
                          buffer.size() - count,
                          MSG_DONTWAIT);
        });
        // An end or an error is still there when the next read asks.
        if (more > 0) count += static_cast<std::size_t>(more);
        bytes = buffer.first(count);
    }
    bytes_received_.fetch_add(count, std::memory_order_relaxed);
    loop_->bytes_received.fetch_add(count, std::memory_order_relaxed);
    if (is_closing_) return;
    last_progress_ = std::chrono::steady_clock::now();
    received(bytes);
}

void Connection::received(ByteView bytes) {
    if (!tls_) return deliver(bytes);
    tls_->set_input(bytes);
    step_tls();
}

// Uses the input of the TLS session up, or as much as the receiver has room for.
void Connection::step_tls() {
    if (state_ == State::Handshaking) shake_hands();
    if (state_ == State::Open) decrypt();
    if (state_ == State::Closed) return;
    undecrypted_ = is_closing_ || peer_ended_ ? Bytes() : to_bytes(tls_->input());
    tls_->set_input({});
    if (tls_->output().size() > kTlsBufferBytesMax)
        finish(fail(Errc::Corrupt, "the peer makes TLS answer and does not read the answers"));
}

void Connection::shake_hands() {
    const Result<bool> done = tls_->handshake();
    if (!done) return fail_handshake(done.error());
    if (*done) opened();
}

void Connection::decrypt() {
    while (hears() && !peer_ended_ && room() > 0) {
        const MutByteView plain = loop_->plain_bytes();
        const MutByteView out = plain.first(std::min(plain.size(), room()));
        const auto outcome = tls_->read(out);
        if (!outcome) return finish(std::unexpected(outcome.error()));
        if (outcome->bytes > 0) deliver(out.first(outcome->bytes));
        if (outcome->ended) return peer_ended();
        if (outcome->bytes < out.size()) return;
    }
}

// Shows `bytes` to the receiver behind those that wait, and keeps what it leaves.
void Connection::deliver(ByteView bytes) {
    if (!hears()) return;
    if (!waiting_.empty()) {
        append(waiting_, bytes);
        bytes = waiting_;
    }
    const std::size_t consumed = receiver_->on_bytes(bytes);
    DRACO_ASSERT(consumed <= bytes.size(), "a receiver consumes no more than it was shown");
    const ByteView rest = bytes.subspan(consumed);
    if (rest.empty())
        waiting_ = {};
    else if (waiting_.empty())
        waiting_ = to_bytes(rest);
    else
        waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    bytes_waiting_.store(waiting_.size(), std::memory_order_relaxed);
}

void Connection::resume() {
    if (!waiting_.empty()) deliver({});
    if (!tls_ || !hears()) return;
    const Bytes input = std::exchange(undecrypted_, {});
    tls_->set_input(input);
    step_tls();
}

void Connection::received_end() {
    if (state_ == State::Handshaking && !is_closing_)
        return finish(fail(Errc::Unavailable, peer_address() + " closed during the TLS handshake"));
    if (tls_ && !is_closing_)
        return finish(fail(Errc::Unavailable, peer_address() + " closed without ending TLS"));
    peer_ended();
}

void Connection::peer_ended() {
    peer_ended_ = true;
    if (hears()) receiver_->on_end();
}

// ---------------------------------------------------------------- ending

void Connection::begin_close() {
    is_closing_ = true;
    waiting_ = {};
    undecrypted_ = {};
    if (state_ == State::Connecting || (state_ == State::Handshaking && tls_))
        return finish(fail(Errc::Abandoned, "the stream was closed before it was open"));
    last_progress_ = std::chrono::steady_clock::now();
    arm_timer();
}

// The alert is on its way. A listener waits for the dialer to close: closing first, with bytes of
// the dialer unread, would reset the connection and could overtake the alert.
void Connection::fail_handshake(const Error& why) {
    close_reason_ = std::unexpected(why);
    is_closing_ = true;
    end_requested_ = true;
    flush();
    if (!owner_) finish(std::move(close_reason_));
}

void Connection::shut(const Error& why) {
    turn([&, self = shared_from_this()] { finish(std::unexpected(why)); });
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the connection may go before its reason
void Connection::finish(Result<> why) {
    if (state_ == State::Closed) return;
    const bool was_opened = state_ == State::Open;
    state_ = State::Closed;
    std::vector<Bytes> dropped;
    {
        const std::lock_guard lock(mutex_);
        is_shut_ = true;
        requests_ = 0;
        dropped.swap(written_);
    }
    timer_.cancel();
    dial_.reset();
    // The alert of a handshake that failed must arrive; else a failure may interrupt the peer.
    close_socket(!why && close_reason_.has_value());
    sending_.clear();
    waiting_ = {};
    undecrypted_ = {};
    bytes_waiting_ = 0;
    tls_.reset();
    tls_setup_.reset();
    loop_->remove(*this);
    if (const auto receiver = std::exchange(receiver_, nullptr)) receiver->on_close(why);
    if (const auto owner = std::exchange(owner_, nullptr)) owner->finished(was_opened);
}

void Connection::close_socket(bool reset) {
    error_code ignored;
    if (reset) std::ignore = socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    std::ignore = socket_.close(ignored);
}

Connection::Time Connection::deadline() const {
    if (state_ != State::Open) return start_deadline_;
    return last_progress_ + (is_closing_ ? options_.close_deadline : options_.idle_deadline);
}

void Connection::arm_timer() {
    timer_.expires_at(deadline());
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
        if (!error) self->turn([&] { self->on_timer(); });
    });
}

// Progress moves the deadline, not the timer.
void Connection::on_timer() {
    if (state_ == State::Closed) return;
    if (std::chrono::steady_clock::now() < deadline()) return arm_timer();
    if (!close_reason_) return finish(std::move(close_reason_));
    const char* const what = state_ == State::Connecting    ? "connecting"
                             : state_ == State::Handshaking ? "the TLS handshake"
                             : is_closing_                  ? "closing"
                                                            : "waiting for any byte to move";
    finish(fail(Errc::DeadlineExceeded, std::string(what) + " took too long: " + peer_address()));
}

}  // namespace draco::io::detail
