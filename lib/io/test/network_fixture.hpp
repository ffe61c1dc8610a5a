#pragma once
// Receivers that record what they hear, and waiting for it without sleeping.

#include "draco/io/network.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace draco::io {

// What a receiver heard. Shared by the receiver, which the connection owns, and the test.
class Record {
public:
    // Acts inside the callbacks; set before the connection begins.
    std::function<void(const Stream&)> when_open = [](const Stream&) {};
    std::function<std::size_t(const Stream&, ByteView)> when_bytes =
        [](const Stream&, ByteView bytes) { return bytes.size(); };
    std::function<void(const Stream&)> when_end = [](const Stream& stream) { stream.close(); };
    std::function<void(const Stream&)> when_writable = [](const Stream&) {};

    struct Seen {
        std::optional<Stream> stream;
        Bytes bytes;  // consumed
        std::size_t shown_max = 0;
        std::uint64_t shows = 0;  // calls of on_bytes
        bool ended = false;
        int writable = 0;
        std::optional<Result<>> closed;
        bool destroyed = false;
    };

    void update(const std::function<void(Seen&)>& change) {
        {
            const std::lock_guard lock(mutex_);
            change(seen_);
        }
        changed_.notify_all();
    }

    // Blocks until `done` holds of what was heard. The test's own limit is CTest's.
    void wait(const std::function<bool(const Seen&)>& done) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return done(seen_); });
    }

    Seen seen() {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

    // Blocks until the bytes that wait were shown once more: the thread that serves `stream` took
    // a turn.
    void wait_turn(const Stream& stream) {
        const std::uint64_t shows = seen().shows;
        stream.resume_reading();
        wait([&](const Seen& seen) { return seen.shows > shows || seen.closed; });
    }

    int seen_writable() {
        const std::lock_guard lock(mutex_);
        return seen_.writable;
    }

    Stream wait_open() {
        wait([](const Seen& seen) { return seen.stream.has_value() || seen.closed; });
        return seen().stream.value();
    }

    // "ok" or the name of the error.
    std::string wait_closed() {
        wait([](const Seen& seen) { return seen.destroyed; });
        const Result<> why = *seen().closed;
        return why ? "ok" : std::string(to_string(why.error().code));
    }

    // Why it closed, for people.
    std::string reason() {
        const Result<> why = seen().closed.value_or(Result<>());
        return why ? "ok" : to_string(why.error());
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    Seen seen_;
};

class RecordingReceiver final : public StreamReceiver {
public:
    explicit RecordingReceiver(std::shared_ptr<Record> record) : record_(std::move(record)) {}

    ~RecordingReceiver() override {
        record_->update([](Record::Seen& seen) { seen.destroyed = true; });
    }

    void on_open(const Stream& stream) override {
        EXPECT_FALSE(stream_ || closed_);
        stream_ = stream;
        record_->when_open(stream);
        record_->update([&](Record::Seen& seen) { seen.stream = stream; });
    }

    std::size_t on_bytes(ByteView bytes) override {
        EXPECT_TRUE(stream_ && !closed_ && !bytes.empty());
        const std::size_t consumed = record_->when_bytes(*stream_, bytes);
        record_->update([&](Record::Seen& seen) {
            append(seen.bytes, bytes.first(consumed));
            seen.shown_max = std::max(seen.shown_max, bytes.size());
            ++seen.shows;
        });
        return consumed;
    }

    void on_end() override {
        EXPECT_TRUE(stream_ && !closed_);
        record_->when_end(*stream_);
        record_->update([](Record::Seen& seen) { seen.ended = true; });
    }

    void on_writable() override {
        EXPECT_TRUE(stream_ && !closed_);
        record_->when_writable(*stream_);
        record_->update([](Record::Seen& seen) { ++seen.writable; });
    }

    void on_close(const Result<>& why) override {
        EXPECT_FALSE(closed_);
        closed_ = true;
        record_->update([&](Record::Seen& seen) { seen.closed = why; });
    }

private:
    std::shared_ptr<Record> record_;
    std::optional<Stream> stream_;
    bool closed_ = false;
};

// Gives each connection a record made by `prepare`, or refuses it where there is none.
class RecordingAcceptor final : public Acceptor {
public:
    using Prepare = std::function<std::shared_ptr<Record>(const Stream&)>;

    explicit RecordingAcceptor(Prepare prepare) : prepare_(std::move(prepare)) {}

    std::unique_ptr<StreamReceiver> accept(const Stream& stream) override {
        auto record = prepare_(stream);
        return record ? std::make_unique<RecordingReceiver>(std::move(record)) : nullptr;
    }

private:
    Prepare prepare_;
};

inline std::unique_ptr<Acceptor> accept_with(std::shared_ptr<Record> record) {
    return std::make_unique<RecordingAcceptor>([record](const Stream&) { return record; });
}

inline std::unique_ptr<StreamReceiver> receive_with(std::shared_ptr<Record> record) {
    return std::make_unique<RecordingReceiver>(std::move(record));
}

inline TlsIdentity identity(std::uint8_t number, std::string_view protocol = "test/1") {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return TlsIdentity::create(crypto::Ed25519Seed(seed), protocol).value();
}

inline std::unique_ptr<Network> start_network(std::size_t threads = 2) {
    return Network::start({.name = "test", .thread_count = threads}).value();
}

}  // namespace draco::io
