#include "connection.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

namespace draco::client {

namespace wire = types::session;

namespace {

constexpr std::size_t kLengthBytes = 4;
// What a node may send ahead of what is looked at. More waits in the network.
constexpr std::size_t kInboxBytesMax = std::size_t{2} << 20;

}  // namespace

class Inbox {
public:
    void opened(const io::Stream& stream) {
        {
            const std::lock_guard lock(mutex_);
            stream_ = stream;
        }
        changed_.notify_all();
    }

    std::size_t take(ByteView bytes) {
        std::size_t consumed = 0;
        {
            const std::lock_guard lock(mutex_);
            while (bytes_ < kInboxBytesMax && bytes.size() - consumed >= kLengthBytes) {
                const std::size_t size = load_le<std::uint32_t>(bytes.data() + consumed);
                if (size > wire::kNodeMessageBytesMax) {
                    why_ = fail(Errc::Corrupt,
                                "the node announced a message of " + std::to_string(size) +
                                    " bytes, where at most " +
                                    std::to_string(wire::kNodeMessageBytesMax) + " are allowed");
                    stream_->abort();
                    consumed = bytes.size();
                    break;
                }
                if (bytes.size() - consumed - kLengthBytes < size) break;
                messages_.push_back(to_bytes(bytes.subspan(consumed + kLengthBytes, size)));
                bytes_ += size;
                consumed += kLengthBytes + size;
            }
        }
        changed_.notify_all();
        return consumed;
    }

    void closed(const Result<>& why) {
        {
            const std::lock_guard lock(mutex_);
            if (!why_)
                why_ = why ? fail(Errc::Unavailable, "the node closed the session")
                           : std::unexpected(why.error());
            is_closed_ = true;
        }
        changed_.notify_all();
    }

    // Until the stream is open, or has failed; the Network has a deadline for that.
    Result<> wait_open() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stream_ || is_closed_; });
        if (!stream_) return *why_;
        return {};
    }

    Result<Bytes> next(Duration patience) {
        std::unique_lock lock(mutex_);
        const bool has_come = changed_.wait_for(
            lock, patience, [this] { return !messages_.empty() || why_ || is_closed_; });
        if (!has_come) return fail(Errc::DeadlineExceeded, "the node does not answer");
        if (messages_.empty()) return std::unexpected(why_->error());
        Bytes message = std::move(messages_.front());
        messages_.pop_front();
        const bool was_full = bytes_ >= kInboxBytesMax;
        bytes_ -= message.size();
        if (was_full && bytes_ < kInboxBytesMax) stream_->resume_reading();
        return message;
    }

    std::optional<io::Stream> stream() const {
        const std::lock_guard lock(mutex_);
        return stream_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<io::Stream> stream_;
    std::deque<Bytes> messages_;
    std::size_t bytes_ = 0;
    std::optional<Result<>> why_;  // always a failure
    bool is_closed_ = false;
};

namespace {

class InboxReceiver final : public io::StreamReceiver {
public:
    explicit InboxReceiver(std::shared_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {}

    void on_open(const io::Stream& stream) override {
        stream_ = stream;
        inbox_->opened(stream);
    }

    std::size_t on_bytes(ByteView bytes) override { return inbox_->take(bytes); }

    void on_end() override { stream_->close(); }

    void on_writable() override {}

    void on_close(const Result<>& why) override { inbox_->closed(why); }

private:
    std::shared_ptr<Inbox> inbox_;
    std::optional<io::Stream> stream_;
};

}  // namespace

Result<Connection> Connection::open(io::Network& network, const io::ConnectOptions& options) {
    auto inbox = std::make_shared<Inbox>();
    const auto dialed = network.connect(options, std::make_unique<InboxReceiver>(inbox));
    if (!dialed) return std::unexpected(dialed.error());
    DRACO_TRY_VOID(inbox->wait_open());
    return Connection(std::move(inbox));
}

Connection::~Connection() {
    if (!inbox_) return;
    if (const auto stream = inbox_->stream()) stream->close();
}

types::NodeKey Connection::key() const {
    return types::NodeKey(inbox_->stream()->peer_key()->view());
}

Result<> Connection::send(const wire::ClientMessage& message) const {
    const Bytes body = bcs::encode(message);
    Bytes frame(kLengthBytes);
    store_le(frame.data(), static_cast<std::uint32_t>(body.size()));
    append(frame, body);
    return inbox_->stream()->write(std::move(frame));
}

Result<Bytes> Connection::next(Duration patience) const {
    return inbox_->next(patience);
}

}  // namespace draco::client
