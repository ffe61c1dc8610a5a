#pragma once
// The engine's connections in virtual time, without threads and sockets: a loop, and peers that
// take as many bytes as the test says.

#include "draco/http/engine.hpp"

#include "../src/delivery_connection.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace draco::http {

// Both ends of one connection, with what the system holds between them.
struct Wire {
    static constexpr std::uint64_t kSystemBytes = 100'000;

    std::string request;
    std::uint64_t waiting = 0;  // written and not taken
    std::uint64_t taken = 0;
    bool is_blocked = false;
    bool is_gone = false;  // the engine has let it go
};

class WireTransport final : public Transport {
public:
    explicit WireTransport(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

    WireTransport(const WireTransport&) = delete;
    WireTransport& operator=(const WireTransport&) = delete;

    ~WireTransport() override { wire_->is_gone = true; }

    Transfer read(MutByteView into) override {
        const std::size_t count = std::min(into.size(), wire_->request.size());
        if (count == 0) return {.status = Transfer::Status::Blocked};
        std::copy_n(wire_->request.begin(), count, into.begin());
        wire_->request.erase(0, count);
        return {.status = Transfer::Status::Some, .bytes = count};
    }

    Transfer write(std::span<const iovec> from, bool /*more*/) override {
        std::uint64_t bytes = 0;
        for (const iovec& part : from) bytes += part.iov_len;
        bytes = std::min(bytes, Wire::kSystemBytes - wire_->waiting);
        wire_->is_blocked = bytes == 0;
        if (bytes == 0) return {.status = Transfer::Status::Blocked};
        wire_->waiting += bytes;
        return {.status = Transfer::Status::Some, .bytes = static_cast<std::size_t>(bytes)};
    }

    Transfer send_file(int /*file*/, std::uint64_t /*offset*/, std::size_t /*bytes*/) override {
        return {};
    }

    std::uint64_t unacknowledged_bytes() override { return wire_->waiting; }

    void end() override {}

    void reset() override {}

private:
    const std::shared_ptr<Wire> wire_;
};

// Answers GET /N with a pulled body of N bytes, and GET /m/N with one in memory.
class SizedBodies final : public EngineHandler {
public:
    static constexpr std::uint64_t kPieceBytes = std::uint64_t{64} << 10;

    void on_request(const Request& request, const Peer& /*peer*/, Reply reply) override {
        const bool in_memory = request.target.starts_with("/m/");
        const std::uint64_t bytes = std::stoull(request.target.substr(in_memory ? 3 : 1));
        Answer answer{.status = 200, .shared_fields = {}, .fields = {}, .body = {}};
        if (in_memory)
            answer.body = share(std::string(bytes, 'm'));
        else
            answer.body = std::make_unique<Pieces>(*this, bytes);
        reply.answer(std::move(answer));
    }

    int let_go = 0;

private:
    class Pieces final : public PullBody {
    public:
        Pieces(SizedBodies& all, std::uint64_t bytes) : all_(all), bytes_(bytes), left_(bytes) {}

        std::uint64_t bytes() const override { return bytes_; }

        std::uint64_t pieces() const override { return (bytes_ + kPieceBytes - 1) / kPieceBytes; }

        std::uint64_t piece_bytes_max() const override { return kPieceBytes; }

        void let_go() override { ++all_.let_go; }

        void pull(PieceReply reply) override {
            const std::uint64_t size = std::min(left_, kPieceBytes);
            left_ -= size;
            reply.deliver(share(std::string(size, 'p')));
        }

    private:
        SizedBodies& all_;
        const std::uint64_t bytes_;
        std::uint64_t left_;
    };
};

class SimulatedLoop final : public ConnectionHost {
public:
    SimulatedLoop(EngineHandler& handler, const EngineOptions& options)
        : ConnectionHost(handler, options, std::make_shared<detail::Inbox>(io::FileDescriptor())) {
        inbox().become_owner();
        set_time(Instant{}, UnixTime{});
    }

    std::shared_ptr<Wire> ask(std::string_view target) {
        auto wire = std::make_shared<Wire>();
        wire->request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
        const auto slot = static_cast<std::uint32_t>(connections_.size());
        connections_.push_back(std::make_unique<DeliveryConnection>(
            *this, std::make_unique<WireTransport>(wire), Peer{}, slot, 0));
        wires_.push_back(wire);
        connections_.back()->note_readable(false);
        enqueue(*connections_.back());
        run();
        return wire;
    }

    // The peer takes up to so many bytes, now. Epoll tells of room once there is none.
    void take(const std::shared_ptr<Wire>& wire, std::uint64_t bytes) {
        const std::uint64_t count = std::min(bytes, wire->waiting);
        wire->waiting -= count;
        wire->taken += count;
        const auto slot =
            static_cast<std::size_t>(std::ranges::find(wires_, wire) - wires_.begin());
        const bool has_room = wire->waiting < Wire::kSystemBytes * 2 / 3;
        if (!has_room || !std::exchange(wire->is_blocked, false) || !connections_[slot]) return;
        connections_[slot]->note_writable();
        enqueue(*connections_[slot]);
        run();
    }

    void pass(Duration time) {
        set_time(now() + time, UnixTime{});
        while (const Timer* const due = deadlines().take_due(now())) {
            due->connection().expired(due->what());
            enqueue(due->connection());
        }
        run();
    }

    void settle() override {
        while (!inbox().own().empty()) {
            std::vector<detail::InboxEvent> said;
            said.swap(inbox().own());
            for (detail::InboxEvent& event : said) apply(std::move(event));
        }
    }

    void enqueue(DeliveryConnection& connection) override {
        if (connection.note_queued()) runnable_.push_back(&connection);
    }

    const ThreadCounters& counts() const { return counters_; }

private:
    void apply(detail::InboxEvent event) {
        if (auto* answered = std::get_if<detail::Answered>(&event)) {
            DeliveryConnection* const connection = find(answered->exchange);
            if (connection == nullptr) return;
            connection->answered(answered->exchange.number, std::move(answered->answer));
            enqueue(*connection);
        } else {
            auto& said = std::get<detail::Delivered>(event);
            DeliveryConnection* const connection = find(said.exchange);
            if (connection == nullptr) return;
            connection->delivered(said.exchange.number, said.piece, std::move(said.bytes));
            enqueue(*connection);
        }
    }

    DeliveryConnection* find(const detail::ExchangeId& exchange) const {
        return connections_[exchange.slot].get();
    }

    void run() {
        while (!runnable_.empty()) {
            std::vector<DeliveryConnection*> running;
            running.swap(runnable_);
            for (DeliveryConnection* const connection : running) {
                connection->work();
                connection->note_begun();
                if (connection->is_over())
                    connections_[connection->slot()].reset();
                else if (connection->wants_turn())
                    enqueue(*connection);
                settle();
            }
            while (const PieceRoom::Place* const place = room().admit())
                enqueue(place->connection());
        }
    }

    std::vector<std::unique_ptr<DeliveryConnection>> connections_;
    std::vector<std::shared_ptr<Wire>> wires_;
    std::vector<DeliveryConnection*> runnable_;
};

}  // namespace draco::http
