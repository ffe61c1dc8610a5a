#pragma once
// An HTTP/1.1 server for delivery: few instructions for a small answer, bounded memory for a large
// one. (server.hpp is for APIs: whole responses over io::Network.)
//
// Each thread has its own listening socket on the same port (SO_REUSEPORT), its own edge-triggered
// epoll and its own connections; a connection stays with its thread. One request of a connection is
// in work at a time; small answers to pipelined requests go out together.
//
// Bounds. Connections in all: the next ones wait in the system's queue. Connections of one client
// (Peer::network): the next ones are reset. A request: ParseLimits, and request_deadline from its
// first byte to its last. Memory per connection: the limits of one request, 16 KiB that were read
// ahead, 16 KiB and one head of answers, pieces_in_flight_max pieces of a body. Bodies in memory of
// all connections: body_bytes_max, an equal part for each thread. Where it is used up, a pulled
// body waits for its turn, other bodies become a 503, and when somebody has waited for two seconds
// the slowest reader of that thread is dropped, if it took less than 64 KiB in two seconds.
//
// A client that does not take what it is offered at response_bytes_per_s_min, averaged over
// stall_deadline, is dropped. What counts is what its system has acknowledged.
//
// Clients that are gone. Who waits for an answer that is being made may leave, and the handler can
// hear of it (Reply::on_gone). A reset says so. A client that ends its own direction does not: it
// may have closed, or it may still read (a half-close), and TCP has one sign for both. nginx takes
// both for gone (its 499); here who still reads is answered, since nothing in RFC 9112 9.6 forbids
// it to end first, and tools do. To tell them apart costs nine bytes: as soon as the client has
// ended, the bytes that begin every answer, "HTTP/1.1 ", are sent to it. Who reads gets the rest
// when it is there; the system of who has closed answers with a reset (RFC 9293 3.6.1), one round
// trip later. What shows no client to be gone: a reset that gets lost, an end that is behind more
// requests sent ahead than the system takes, and an end while a body waits for its next piece. Then
// the deadlines are left.
//
// What a client sends ahead meanwhile is not read: 16 KiB and the system's buffer hold it.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/http/answer.hpp"
#include "draco/http/message.hpp"
#include "draco/http/peer.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace draco::http {

// The promise of one answer. Move-only; used by any thread, also after the client or the engine has
// gone, where it has no effect. Destroyed without answer(): 500.
class Reply {
public:
    Reply(std::shared_ptr<detail::Inbox> inbox, const detail::ExchangeId& exchange)
        : inbox_(std::move(inbox)), exchange_(exchange) {}

    Reply(Reply&&) noexcept = default;

    // The promise that was here lives and ends with `other`.
    Reply& operator=(Reply&& other) noexcept {
        inbox_.swap(other.inbox_);
        std::swap(exchange_, other.exchange_);
        notice_.swap(other.notice_);
        return *this;
    }

    ~Reply();

    // Has `tell` called when nobody waits for the answer any more, so that what is under way for it
    // can be taken back: the client is gone or was dropped, it was told that the answer took too
    // long (answer_deadline), or the engine stops. At most once, inside on_request() and before
    // answer() (asserted: on that thread).
    //
    // `tell` is called once, on the thread that gave the request, after on_request() has returned;
    // it must not block or throw. It is not called once there is an answer: where answer() comes
    // at the same time from another thread, the first of the two decides, and the call may still be
    // running when answer() returns. `tell` and what it owns are destroyed after the call or inside
    // answer().
    void on_gone(std::move_only_function<void()> tell);

    // Once.
    void answer(Answer answer);

private:
    std::shared_ptr<detail::Inbox> inbox_;
    detail::ExchangeId exchange_;
    std::shared_ptr<detail::GoneNotice> notice_;  // or nothing
};

class EngineHandler {
public:
    virtual ~EngineHandler() = default;
    // On every thread of the engine at the same time; must not block or throw. `request` is valid
    // during the call, `reply` for as long as it takes.
    virtual void on_request(const Request& request, const Peer& peer, Reply reply) = 0;
};

struct EngineOptions {
    std::string address = "127.0.0.1";  // "::" and "0.0.0.0" are all of this machine
    std::uint16_t port = 0;             // 0: the system chooses
    std::size_t thread_count = 1;
    std::size_t connections_max = 10'000;
    std::size_t connections_per_client_max = 256;
    std::size_t pieces_in_flight_max = 4;
    Duration request_deadline = std::chrono::seconds(10);  // from its first byte to its last
    Duration keep_alive = std::chrono::seconds(60);        // between two requests
    Duration stall_deadline = std::chrono::seconds(30);    // of a client that takes nothing
    std::uint64_t response_bytes_per_s_min = 4 << 10;      // of a client that is offered more
    std::uint64_t body_bytes_max = std::uint64_t{128} << 20;
    Duration answer_deadline = std::chrono::seconds(60);  // of the handler, and of each piece
    ParseLimits limits{.body_bytes_max = std::size_t{64} << 10};
};

struct EngineCounters {
    std::size_t connections = 0;             // open now
    std::uint64_t accepted = 0;              // since the start, as all that follow
    std::uint64_t refused = 0;               // connections reset: too many of one client
    std::uint64_t requests = 0;              // given to the handler
    std::uint64_t malformed = 0;             // what was no request
    std::uint64_t timed_out = 0;             // requests that did not arrive in time
    std::uint64_t stalled = 0;               // connections dropped because nothing was taken
    std::uint64_t too_slow = 0;              // because less than the least rate was
    std::uint64_t crowded_out = 0;           // because others had no room, and were faster
    std::uint64_t room_waits = 0;            // bodies that had to wait for room
    std::uint64_t no_room = 0;               // answers replaced by a 503 for want of it
    std::uint64_t unanswered = 0;            // answers and pieces that did not come in time
    std::uint64_t gone = 0;                  // connections that ended before an answer was there
    std::uint64_t cut_off = 0;               // bodies that failed after their head was sent
    std::uint64_t accept_pauses = 0;         // for want of file descriptors
    std::uint64_t bytes_sent = 0;            // heads and bodies
    std::uint64_t body_bytes = 0;            // in memory now
    std::array<std::uint64_t, 6> answers{};  // by the first digit of their status

    bool operator==(const EngineCounters&) const = default;
};

// Thread-safe.
class Engine {
public:
    // `handler` and `clock` outlive the engine. Errors: InvalidArgument (no address of this
    // machine, no threads), AlreadyExists (the port is taken), Exhausted (descriptors, threads),
    // Io.
    static Result<std::unique_ptr<Engine>> start(EngineHandler& handler,
                                                 const Clock& clock,
                                                 const EngineOptions& options);
    ~Engine();  // stop(0)
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Stops listening, lets answers that are under way end for at most `grace`, resets what is
    // left, and returns when the handler is not being called and will not be. Not on a thread of
    // the engine (asserted). Again: does nothing.
    void stop(Duration grace = Duration{0});

    std::uint16_t port() const;
    EngineCounters counters() const;

private:
    struct Threads;

    explicit Engine(std::unique_ptr<Threads> threads);

    std::unique_ptr<Threads> threads_;
};

}  // namespace draco::http
