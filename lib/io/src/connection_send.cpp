// The sending half of a Connection.

#include "connection.hpp"
#include "system_error.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace draco::io::detail {
namespace {

constexpr std::size_t kRecordBytesMax = std::size_t{16} << 10;  // RFC 8446 5.1
constexpr std::size_t kEncryptBytesMax = std::size_t{64} << 10;
constexpr std::size_t kGatheredBuffersMax = 64;

}  // namespace

void Connection::flush() {
    if (state_ != State::Handshaking && state_ != State::Open) return;
    while (!is_blocked_ && state_ != State::Closed && (send_some() || end_sending())) {
    }
    if (state_ != State::Closed && peer_ended_ && end_sent_) finish(std::move(close_reason_));
}

// False if there is nothing to send, or the system takes no more.
bool Connection::send_some() {
    if (tls_) {
        Bytes& output = tls_->output();
        if (output.empty() && !encrypt_some()) return false;
        iovec part{output.data() + tls_output_offset_, output.size() - tls_output_offset_};
        const std::size_t sent = send({&part, 1});
        if (sent == 0) return false;
        tls_output_offset_ += sent;
        if (tls_output_offset_ < output.size()) return true;
        tls_output_offset_ = 0;
        if (sending_.empty())
            output = {};
        else
            output.clear();
        return true;
    }
    std::array<iovec, kGatheredBuffersMax> parts;
    std::size_t count = 0;
    std::size_t offset = sending_offset_;
    for (Bytes& buffer : sending_) {
        if (count == parts.size()) break;
        parts[count++] = {buffer.data() + offset, buffer.size() - offset};
        offset = 0;
    }
    if (count == 0) return false;
    const std::size_t sent = send(std::span(parts).first(count));
    if (sent == 0) return false;
    pop_sending(sent);
    taken(sent);
    return true;
}

// Returns how many bytes the system took; none if it takes no more now or the connection is lost.
std::size_t Connection::send(std::span<iovec> parts) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = uninterrupted(
        [&] { return ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (sent < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            wait_until_writable();
        else
            finish(std::unexpected(socket_error("sending to", peer_address(), errno)));
        return 0;
    }
    const auto bytes = static_cast<std::size_t>(sent);
    bytes_sent_.fetch_add(bytes, std::memory_order_relaxed);
    loop_->bytes_sent.fetch_add(bytes, std::memory_order_relaxed);
    last_progress_ = std::chrono::steady_clock::now();
    return bytes;
}

void Connection::wait_until_writable() {
    is_blocked_ = true;
    socket_.async_wait(boost::asio::socket_base::wait_write,
                       [self = shared_from_this()](const boost::system::error_code&) {
                           // An error is still there when sending is tried again.
                           self->turn([&] { self->is_blocked_ = false; });
                       });
}

// Small buffers share a record, large ones are not copied.
bool Connection::encrypt_some() {
    if (state_ != State::Open || sending_.empty()) return false;
    std::size_t total = 0;
    while (!sending_.empty() && total < kEncryptBytesMax) {
        ByteView bytes = ByteView(sending_.front()).subspan(sending_offset_);
        if (bytes.size() >= kRecordBytesMax) {
            if (tls_->output().empty()) tls_->output().reserve(kTlsBufferBytesMax);
        } else if (sending_.size() > 1) {
            const MutByteView record = loop_->plain_bytes().first(kRecordBytesMax);
            std::size_t size = 0;
            std::size_t offset = sending_offset_;
            for (const Bytes& buffer : sending_) {
                if (size == record.size()) break;
                const std::size_t count = std::min(buffer.size() - offset, record.size() - size);
                std::ranges::copy(ByteView(buffer).subspan(offset, count),
                                  record.begin() + static_cast<std::ptrdiff_t>(size));
                size += count;
                offset = 0;
            }
            bytes = record.first(size);
        }
        bytes = bytes.first(std::min(bytes.size(), kEncryptBytesMax - total));
        if (const Result<> written = tls_->write(bytes); !written) {
            finish(written);
            return false;
        }
        total += bytes.size();
        pop_sending(bytes.size());
    }
    taken(total);
    return true;
}

// Forgets bytes at the front of sending_.
void Connection::pop_sending(std::size_t bytes) {
    sending_offset_ += bytes;
    while (!sending_.empty() && sending_offset_ >= sending_.front().size()) {
        sending_offset_ -= sending_.front().size();
        sending_.pop_front();
    }
}

// Makes room in the queue, and tells who was refused for want of it.
void Connection::taken(std::size_t bytes) {
    bool tell = false;
    {
        const std::lock_guard lock(mutex_);
        queued_bytes_ -= bytes;
        if (wants_writable_ && queued_bytes_ <= options_.send_bytes_max / 2) {
            wants_writable_ = false;
            tell = true;
        }
    }
    if (tell && hears()) receiver_->on_writable();
}

// When all is sent: close_notify first, then FIN. True if there is more to send.
bool Connection::end_sending() {
    if (state_ == State::Closed || is_blocked_ || !end_requested_ || end_sent_) return false;
    if (state_ == State::Handshaking && !is_closing_) return false;  // not even begun
    if (state_ == State::Open && tls_ && !close_notify_made_) {
        close_notify_made_ = true;
        tls_->end();
        return !tls_->output().empty();
    }
    end_sent_ = true;
    boost::system::error_code ignored;
    std::ignore = socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
    return false;
}

}  // namespace draco::io::detail
