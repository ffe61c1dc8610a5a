#pragma once
// The connections of a server. A Connection is shared by the stream's receiver, the responder of
// the request under way and a timer; whoever is last lets it go.

#include "draco/http/parser.hpp"
#include "draco/http/server.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace draco::http {

class Connection;

class Server::State : public std::enable_shared_from_this<Server::State> {
public:
    State(Executor& timers, Handler& requests, ServerOptions server_options)
        : executor(timers), handler(requests), options(std::move(server_options)) {}

    std::unique_ptr<io::StreamReceiver> accept(const io::Stream& stream);
    void closed(const std::shared_ptr<Connection>& connection);
    // Calls the handler unless the server stops.
    void dispatch(Request request, const std::string& client, std::unique_ptr<Responder> responder);
    void count_refused();
    void count_timed_out();
    ServerCounters counters() const;
    void stop();

    Executor& executor;
    Handler& handler;
    const ServerOptions options;
    std::unique_ptr<io::Listener> listener;

private:
    mutable std::mutex mutex_;
    std::condition_variable idle_;
    std::set<std::shared_ptr<Connection>> connections_;
    std::size_t calls_ = 0;  // of the handler, running
    ServerCounters counters_;
    bool stopping_ = false;
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Server::State> server, const io::Stream& stream)
        : server_(std::move(server)), stream_(stream), parser_(server_->options.limits) {}

    // By the receiver, on the stream's thread.
    void opened();
    std::size_t received(ByteView bytes);
    void peer_ended();
    void writable();
    void closed();

    // By the responder, on any thread.
    void respond(Response response);

    void abort() { stream_.abort(); }

private:
    void refuse(const ParseError& error);
    void send(Response response, bool keep_alive);
    void flush();
    void end_if_peer_has();
    void arm(Duration deadline);
    void disarm();
    void expired(std::uint64_t generation);

    const std::shared_ptr<Server::State> server_;
    const io::Stream stream_;
    RequestParser parser_;  // the stream's thread alone
    bool told_to_continue_ = false;

    std::mutex mutex_;
    bool busy_ = false;  // a request is with the handler
    bool last_ = false;  // no more requests after this response
    bool head_only_ = false;
    bool closed_ = false;
    bool peer_ended_ = false;
    bool bytes_wait_ = false;    // shown to us and not consumed
    std::vector<Bytes> unsent_;  // the stream had no room yet
    std::uint64_t timer_generation_ = 0;
    std::optional<TimerId> timer_;
    bool request_begun_ = false;  // the timer is for its rest
};

}  // namespace draco::http
