#include "server_connection.hpp"

#include <algorithm>
#include <utility>

namespace draco::http {
namespace {

class ConnectionReceiver final : public io::StreamReceiver {
public:
    explicit ConnectionReceiver(std::shared_ptr<Connection> connection)
        : connection_(std::move(connection)) {}

    void on_open(const io::Stream& /*stream*/) override { connection_->opened(); }

    std::size_t on_bytes(ByteView bytes) override { return connection_->received(bytes); }

    void on_end() override { connection_->peer_ended(); }

    void on_writable() override { connection_->writable(); }

    void on_close(const Result<>& /*why*/) override { connection_->closed(); }

private:
    std::shared_ptr<Connection> connection_;
};

class ConnectionResponder final : public Responder {
public:
    explicit ConnectionResponder(std::shared_ptr<Connection> connection)
        : connection_(std::move(connection)) {}

    ConnectionResponder(const ConnectionResponder&) = delete;
    ConnectionResponder& operator=(const ConnectionResponder&) = delete;

    ~ConnectionResponder() override {
        if (connection_) respond(text_response(500, "text/plain", "the request was dropped\n"));
    }

    void respond(Response response) override {
        if (const auto connection = std::exchange(connection_, nullptr))
            connection->respond(std::move(response));
    }

private:
    std::shared_ptr<Connection> connection_;
};

bool may_have_body(const Response& response) {
    return response.status != 204 && response.status != 304;
}

bool is_sendable(const Response& response) {
    return response.status >= 200 && response.status <= 599 &&
           std::ranges::all_of(response.fields.list, is_well_formed);
}

}  // namespace

std::unique_ptr<io::StreamReceiver> Server::State::accept(const io::Stream& stream) {
    auto connection = std::make_shared<Connection>(shared_from_this(), stream);
    const std::lock_guard lock(mutex_);
    if (stopping_) return nullptr;
    connections_.insert(connection);
    counters_.connections = connections_.size();
    return std::make_unique<ConnectionReceiver>(std::move(connection));
}

void Server::State::closed(const std::shared_ptr<Connection>& connection) {
    const std::lock_guard lock(mutex_);
    connections_.erase(connection);
    counters_.connections = connections_.size();
}

void Server::State::dispatch(Request request,
                             const std::string& client,
                             std::unique_ptr<Responder> responder) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        ++calls_;
        ++counters_.requests;
    }
    handler.on_request(std::move(request), client, std::move(responder));
    const std::lock_guard lock(mutex_);
    if (--calls_ == 0) idle_.notify_all();
}

void Server::State::count_refused() {
    const std::lock_guard lock(mutex_);
    ++counters_.refused;
}

void Server::State::count_timed_out() {
    const std::lock_guard lock(mutex_);
    ++counters_.timed_out;
}

ServerCounters Server::State::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

void Server::State::stop() {
    std::set<std::shared_ptr<Connection>> connections;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        connections = connections_;
    }
    listener.reset();
    for (const auto& connection : connections) connection->abort();
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return calls_ == 0; });
}

void Connection::opened() {
    const std::lock_guard lock(mutex_);
    arm(server_->options.keep_alive);
}

std::size_t Connection::received(ByteView bytes) {
    {
        const std::lock_guard lock(mutex_);
        if (last_) return bytes.size();  // what follows the last request is not read
        // Nor is a request whose answer would pile up behind those that the client does not take.
        bytes_wait_ = busy_ || !unsent_.empty();
        if (bytes_wait_) return 0;
        if (!request_begun_) {
            request_begun_ = true;
            arm(server_->options.request_deadline);
        }
    }
    const auto taken = parser_.feed(bytes);
    if (!taken) {
        refuse(taken.error());
        return bytes.size();
    }
    if (!parser_.is_complete()) {
        const std::lock_guard lock(mutex_);
        if (parser_.expects_continue() && !std::exchange(told_to_continue_, true)) {
            unsent_.push_back(to_bytes(as_bytes("HTTP/1.1 100 Continue\r\n\r\n")));
            flush();
        }
        end_if_peer_has();
        return *taken;
    }
    told_to_continue_ = false;
    Request request = parser_.take();
    {
        const std::lock_guard lock(mutex_);
        if (last_) return bytes.size();  // its time was over just now
        disarm();
        request_begun_ = false;
        busy_ = true;
        bytes_wait_ = *taken < bytes.size();
        last_ = !request.keep_alive;
        head_only_ = request.method == "HEAD";
    }
    server_->dispatch(std::move(request),
                      stream_.peer_address(),
                      std::make_unique<ConnectionResponder>(shared_from_this()));
    return *taken;
}

// Half-closed clients still get the answers they wait for.
void Connection::peer_ended() {
    const std::lock_guard lock(mutex_);
    peer_ended_ = true;
    end_if_peer_has();
}

void Connection::end_if_peer_has() {
    if (!peer_ended_ || busy_ || bytes_wait_ || closed_ || last_) return;
    disarm();
    last_ = true;
    flush();
}

void Connection::refuse(const ParseError& error) {
    server_->count_refused();
    const std::lock_guard lock(mutex_);
    disarm();
    last_ = true;
    send(text_response(error.status, "text/plain", error.what + "\n"), false);
}

void Connection::respond(Response response) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    busy_ = false;
    if (response.body.size() > server_->options.response_bytes_max)
        response = text_response(500, "text/plain", "the answer is too long to be sent\n");
    if (!is_sendable(response))
        response = text_response(500, "text/plain", "the answer is malformed\n");
    if (peer_ended_ && !bytes_wait_) last_ = true;
    const bool keep_alive = !last_;
    if (keep_alive) arm(server_->options.keep_alive);
    send(std::move(response), keep_alive);
}

void Connection::send(Response response, bool keep_alive) {
    const bool has_body = !head_only_ && may_have_body(response) && !response.body.empty();
    unsent_.push_back(serialize_head(
        response, server_->executor.clock().unix_now(), keep_alive, response.body.size()));
    if (has_body) unsent_.push_back(std::move(response.body));
    head_only_ = false;
    flush();
}

void Connection::flush() {
    if (!unsent_.empty()) {
        const auto written = stream_.write(unsent_);
        if (!written && written.error().code == Errc::Exhausted) return;
        unsent_.clear();
        if (!written) return stream_.abort();
    }
    if (busy_) return;
    if (last_) return stream_.close();
    if (bytes_wait_) stream_.resume_reading();
}

void Connection::writable() {
    const std::lock_guard lock(mutex_);
    if (!closed_) flush();
}

void Connection::closed() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        unsent_.clear();
        disarm();
    }
    server_->closed(shared_from_this());
}

void Connection::arm(Duration deadline) {
    disarm();
    timer_ = server_->executor.post_after(
        deadline, [weak = weak_from_this(), generation = timer_generation_] {
            if (const auto connection = weak.lock()) connection->expired(generation);
        });
}

void Connection::disarm() {
    ++timer_generation_;
    if (const auto timer = std::exchange(timer_, std::nullopt))
        static_cast<void>(server_->executor.cancel(*timer));
}

void Connection::expired(std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    if (closed_ || generation != timer_generation_) return;
    last_ = true;
    if (request_begun_) {
        server_->count_timed_out();
        send(text_response(408, "text/plain", "the request took too long to arrive\n"), false);
    } else {
        flush();
    }
}

}  // namespace draco::http
