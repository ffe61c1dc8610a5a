#pragma once
// An engine over loopback, a handler that makes every kind of answer, and clients.

#include "draco/http/engine.hpp"
#include "draco/http/parser.hpp"
#include "draco/io/system_clock.hpp"

#include "raw_client.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace draco::http {

// The byte at each place of every test body.
inline std::uint8_t pattern_at(std::uint64_t place) {
    return static_cast<std::uint8_t>((place * 167) ^ (place >> 9));
}

inline Bytes pattern(std::uint64_t first, std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = pattern_at(first + i);
    return bytes;
}

// Gives pieces from a thread of its own, in an order of its own, and counts those that are alive.
class Producer {
public:
    explicit Producer(std::uint64_t seed) : random_(seed), thread_([this] { run(); }) {}

    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    ~Producer() {
        {
            const std::lock_guard lock(mutex_);
            is_stopped_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    void give(PieceReply reply, std::uint64_t first, std::size_t size) {
        {
            const std::lock_guard lock(mutex_);
            orders_.push_back({std::move(reply), first, size});
        }
        changed_.notify_all();
    }

    SharedBytes piece(std::uint64_t first, std::size_t size) {
        const int now = ++*alive_;
        for (int seen = alive_max_; seen < now && !alive_max_.compare_exchange_weak(seen, now);) {
        }
        const std::shared_ptr<const Bytes> bytes(new Bytes(pattern(first, size)),
                                                 [alive = alive_](const Bytes* dead) {
                                                     --*alive;
                                                     delete dead;
                                                 });
        return share(bytes);
    }

    int alive_max() const { return alive_max_; }

    int alive() const { return *alive_; }

private:
    struct Order {
        PieceReply reply;
        std::uint64_t first;
        std::size_t size;
    };

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return is_stopped_ || !orders_.empty(); });
            if (is_stopped_) return;
            std::vector<Order> orders;
            orders.swap(orders_);
            lock.unlock();
            std::shuffle(orders.begin(), orders.end(), random_);
            for (Order& order : orders) order.reply.deliver(piece(order.first, order.size));
            orders.clear();
            lock.lock();
        }
    }

    std::mt19937_64 random_;
    std::shared_ptr<std::atomic<int>> alive_ = std::make_shared<std::atomic<int>>(0);
    std::atomic<int> alive_max_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Order> orders_;
    bool is_stopped_ = false;
    std::thread thread_;
};

// What goes wrong with the last piece.
enum class Fault : std::uint8_t { None, Error, Dropped, TooShort, TooLong, Never };

class TestBody final : public PullBody {
public:
    TestBody(Producer& producer, std::vector<std::size_t> sizes, Fault fault, bool inside_the_call)
        : producer_(producer),
          sizes_(std::move(sizes)),
          fault_(fault),
          inside_the_call_(inside_the_call) {
        for (const std::size_t size : sizes_) bytes_ += size;
    }

    std::uint64_t bytes() const override { return bytes_; }

    std::uint64_t pieces() const override { return sizes_.size(); }

    std::uint64_t piece_bytes_max() const override { return std::ranges::max(sizes_); }

    void pull(PieceReply reply) override {
        const std::size_t size = sizes_[next_];
        const std::uint64_t first = first_;
        first_ += size;
        if (++next_ == sizes_.size() && fault_ != Fault::None) return spoil(std::move(reply), size);
        if (!inside_the_call_) return producer_.give(std::move(reply), first, size);
        reply.deliver(producer_.piece(first, size));
    }

private:
    void spoil(PieceReply reply, std::size_t size) {
        switch (fault_) {
            case Fault::Error:
                return reply.deliver(fail(Errc::NotFound, "nobody has it"));
            case Fault::TooShort:
                return reply.deliver(producer_.piece(0, size - 1));
            case Fault::TooLong:
                return reply.deliver(producer_.piece(0, size + 1));
            case Fault::Never:
                kept_.push_back(std::move(reply));
                return;
            case Fault::None:
            case Fault::Dropped:
                return;
        }
    }

    Producer& producer_;
    const std::vector<std::size_t> sizes_;
    const Fault fault_;
    const bool inside_the_call_;
    std::uint64_t bytes_ = 0;
    std::size_t next_ = 0;
    std::uint64_t first_ = 0;
    std::vector<PieceReply> kept_;
};

// A file with the pattern, which has no name any more.
inline std::shared_ptr<const io::FileDescriptor> pattern_file(std::size_t size) {
    char path[] = "/tmp/draco_engine_XXXXXX";
    auto file = std::make_shared<io::FileDescriptor>(::mkstemp(path));
    ::unlink(path);
    const Bytes bytes = pattern(0, size);
    EXPECT_EQ(::write(file->get(), bytes.data(), size), static_cast<ssize_t>(size));
    return file;
}

// Targets: /echo..., /later, /drop, /malformed, /status/N, /bytes/N, /file/N, /pull/N (in pieces of
// at most 256 KiB, from a thread), /here/N (the same inside the call), and /fault/F: two pieces,
// the second with that fault.
class TestHandler final : public EngineHandler {
public:
    void on_request(const Request& request, const Peer& peer, Reply reply) override {
        EXPECT_EQ(peer.text(), "127.0.0.1");
        ++calls;
        const std::string_view target = request.target;
        const auto slash = target.find('/', 1);
        const std::string_view kind = target.substr(0, slash);
        std::uint64_t number = 0;
        if (slash != std::string_view::npos)
            std::from_chars(target.data() + slash + 1, target.data() + target.size(), number);
        if (kind == "/later") return keep(std::move(reply));
        if (kind == "/drop") return;
        reply.answer(make(kind, number, request));
    }

    // Blocks until a request for /later is here.
    Reply wait_kept() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !kept_.empty(); });
        Reply reply = std::move(kept_.back());
        kept_.pop_back();
        return reply;
    }

    void forget_kept() {
        const std::lock_guard lock(mutex_);
        kept_.clear();
    }

    std::atomic<int> calls = 0;
    Producer producer{1};

private:
    static constexpr std::size_t kFileBytes = std::size_t{4} << 20;

    void keep(Reply reply) {
        {
            const std::lock_guard lock(mutex_);
            kept_.push_back(std::move(reply));
        }
        changed_.notify_all();
    }

    Answer make(std::string_view kind, std::uint64_t number, const Request& request) {
        if (kind == "/status")
            return {.status = static_cast<unsigned>(number),
                    .shared_fields = {},
                    .fields = {},
                    .body = share("body")};
        if (kind == "/malformed") {
            Answer answer = text_answer(200, "x");
            answer.fields.add("X", "a\r\nSet-Cookie: b");
            return answer;
        }
        if (kind == "/bytes")
            return answer_with(share(std::make_shared<const Bytes>(pattern(0, number))));
        if (kind == "/file") return answer_with(FileRegion{file_, 0, number});
        if (kind == "/fault")
            return answer_with(std::make_unique<TestBody>(
                producer, std::vector<std::size_t>{1000, 1000}, static_cast<Fault>(number), true));
        if (kind == "/pull" || kind == "/here") {
            std::vector<std::size_t> sizes;
            for (std::uint64_t left = number; left > 0; left -= sizes.back())
                sizes.push_back(std::min<std::uint64_t>(left, std::size_t{256} << 10));
            return answer_with(std::make_unique<TestBody>(
                producer, std::move(sizes), Fault::None, kind == "/here"));
        }
        return text_answer(
            200, request.method + request.target + "=" + std::string(as_text(request.body)));
    }

    static Answer answer_with(Body body) {
        return {.status = 200, .shared_fields = {}, .fields = {}, .body = std::move(body)};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Reply> kept_;
    const std::shared_ptr<const io::FileDescriptor> file_ = pattern_file(kFileBytes);
};

// Reads responses one after the other.
class ResponseReader {
public:
    explicit ResponseReader(const RawClient& client) : client_(client) {}

    // nullopt when the server ends first, or sends what is no response.
    std::optional<Response> read(bool head_only = false) {
        ResponseParser parser({.body_bytes_max = std::size_t{1} << 30}, head_only);
        while (true) {
            const auto taken = parser.feed(as_bytes(unread_));
            if (!taken) {
                ADD_FAILURE() << taken.error().what;
                return std::nullopt;
            }
            unread_.erase(0, *taken);
            if (parser.is_complete()) return parser.take();
            const std::string more = client_.read_some();
            if (more.empty()) return std::nullopt;
            unread_ += more;
        }
    }

private:
    const RawClient& client_;
    std::string unread_;
};

class HttpEngine : public ::testing::Test {
protected:
    void start(EngineOptions options = {}) {
        if (options.thread_count == 1) options.thread_count = 2;
        engine_ = Engine::start(handler_, clock_, options).value();
    }

    RawClient connect() const { return RawClient(engine_->port()); }

    // CTest's limit is the test's own.
    template <class Done>
    void wait_for(const Done& done) const {
        while (!done(engine_->counters())) std::this_thread::yield();
    }

    void wait_for_no_connections() const {
        wait_for([](const EngineCounters& counters) { return counters.connections == 0; });
    }

    const io::SystemClock clock_;
    TestHandler handler_;
    std::unique_ptr<Engine> engine_;
};

}  // namespace draco::http
