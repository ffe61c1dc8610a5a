#pragma once
// Two sessions over a link that delays, loses and breaks, driven at random, beside a naive model:
// what the responder wrote is what the requester may see.

#include "draco/pool/session.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace draco::pool {

class SessionPair {
public:
    explicit SessionPair(std::uint64_t seed, double loss, bool corrupts = false)
        : rng_(seed), loss_(loss), corrupts_(corrupts) {
        for (Side& side : sides_) step(side, LinkUp{});
    }

    // Empty if all held.
    std::string run(std::size_t steps) {
        for (std::size_t i = 0; i < steps && broken_.empty(); ++i) act();
        break_link();
        require(open_ == 0, "every request has an outcome");
        for (const Side& side : sides_)
            require(side.session.requests_open() + side.session.streams_open() == 0,
                    "nothing is left of streams");
        return broken_;
    }

    std::size_t complete() const { return complete_; }

    std::size_t failed() const { return failed_; }

private:
    struct Request {
        bool is_open = true;
        Instant deadline;
        std::size_t window = 0;
        std::size_t ungranted = 0;
        Bytes received{};
    };

    struct Served {
        InboundStream stream;
        Bytes written;
        bool is_finished = false;
        bool is_success = false;
    };

    struct Side {
        Session session{SessionLimits{.requests_max = 8, .backlog_bytes_max = 300'000}};
        std::uint64_t id_next = 1;
        std::map<std::uint64_t, Request> requests;          // own
        std::map<std::uint64_t, Served> served;             // the other side's, by its id
        std::array<std::deque<Bytes>, kChannelCount> wire;  // to this side
    };

    std::uint64_t below(std::uint64_t bound) { return rng_() % bound; }

    bool chance(double p) { return static_cast<double>(rng_() % 1'000'000) < p * 1'000'000; }

    void require(bool holds, const char* what) {
        if (!holds && broken_.empty()) broken_ = what;
    }

    Side& other(Side& side) { return &side == &sides_[0] ? sides_[1] : sides_[0]; }

    void act() {
        Side& side = sides_[below(2)];
        switch (below(10)) {
            case 0:
                return open(side);
            case 1:
            case 2:
                return write(side);
            case 3:
                return finish(side);
            case 4:
                return grant(side);
            case 5:
                if (below(4) == 0) cancel(side);
                return;
            case 6:
                now_ = now_ + Duration(std::chrono::milliseconds(below(30)));
                for (Side& each : sides_) step(each, TimePassed{});
                return;
            case 7:
                if (below(100) == 0) break_link();
                return;
            default:
                return deliver(side);
        }
    }

    void open(Side& side) {
        if (!side.session.check_open()) return;
        const std::uint64_t id = side.id_next++;
        const Instant deadline = now_ + Duration(std::chrono::milliseconds(below(3000)));
        const std::size_t credit = below(1'000'000);
        side.requests[id] = {.deadline = deadline,
                             .window = std::clamp(credit, kCreditBytesMin, kCreditBytesMax)};
        ++open_;
        step(side,
             OpenRequest{.id = interfaces::RequestId(id),
                         .protocol = 1,
                         .request = Bytes(below(2000), 7),
                         .deadline = deadline,
                         .credit_bytes = credit});
    }

    template <class Map>
    auto any(Map& map) {
        auto at = map.begin();
        if (!map.empty())
            std::advance(at,
                         static_cast<std::ptrdiff_t>(map.size() - 1 -
                                                     below(std::min<std::size_t>(map.size(), 8))));
        return at;
    }

    void write(Side& side) {
        const auto at = any(side.served);
        if (at == side.served.end() || at->second.is_finished) return;
        Bytes chunk(1 + below(interfaces::kResponseChunkBytesMax));
        for (auto& byte : chunk) byte = static_cast<std::uint8_t>(rng_());
        if (!side.session.check_write(at->second.stream, chunk.size())) {
            step(side, AwaitWritable{.stream = at->second.stream, .bytes = chunk.size()});
            return;
        }
        append(at->second.written, chunk);
        step(side, WriteChunk{.stream = at->second.stream, .chunk = chunk});
    }

    void finish(Side& side) {
        const auto at = any(side.served);
        if (at == side.served.end() || at->second.is_finished) return;
        at->second.is_finished = true;
        at->second.is_success = below(4) != 0;
        step(side,
             FinishStream{
                 .stream = at->second.stream,
                 .outcome = at->second.is_success ? Result<>() : fail(Errc::NotFound, "none")});
    }

    void grant(Side& side) {
        const auto at = any(side.requests);
        if (at == side.requests.end()) return;
        step(side,
             GrantCredit{.id = interfaces::RequestId(at->first),
                         .bytes = std::exchange(at->second.ungranted, 0)});
    }

    void cancel(Side& side) {
        const auto at = any(side.requests);
        if (at == side.requests.end()) return;
        step(side, CancelRequest{interfaces::RequestId(at->first)});
    }

    void break_link() {
        for (Side& side : sides_) {
            for (auto& wire : side.wire) wire.clear();
            step(side, LinkDown{});
        }
        for (Side& side : sides_) step(side, LinkUp{});
    }

    void deliver(Side& side) {
        auto& wire = side.wire[below(kChannelCount)];
        if (wire.empty()) return;
        Bytes frame = std::move(wire.front());
        wire.pop_front();
        if (chance(loss_)) return;
        if (corrupts_ && frame.size() > 1000) frame.back() ^= 1;
        const auto channel = static_cast<Channel>(&wire - side.wire.data());
        step(side, FrameReceived{.channel = channel, .frame = frame});
    }

    void step(Side& side, const Event& event) {
        Effects effects;
        side.session.step(event, now_, effects);
        require(!effects.violation, "an honest peer breaks no rule");
        for (Effect& effect : effects.told)
            std::visit([&](auto& told) { take(side, told); }, effect);
        require(side.session.backlog_bytes() <= 600'000 + 2 * kMessageBytesMax,
                "what waits is bounded");
        require(side.session.requests_open() <= 8 && side.session.streams_open() <= 8,
                "streams are bounded");
        if (below(3) != 0) pump(side);  // else the transport has no room
    }

    void pump(Side& side) {
        bool taken = false;
        for (const Channel channel : {Channel::Control, Channel::Bulk})
            while (const Bytes* frame = side.session.next_frame(channel)) {
                other(side).wire[static_cast<std::size_t>(channel)].push_back(*frame);
                side.session.pop_frame(channel);
                taken = true;
            }
        Effects effects;
        if (taken) side.session.step(BacklogTaken{}, now_, effects);
    }

    void take(Side& /*side*/, MessageArrived& /*told*/) { require(false, "no message was sent"); }

    void take(Side& side, RequestArrived& told) {
        side.served[told.stream.wire] = {.stream = told.stream, .written = {}};
    }

    void take(Side& side, ChunkArrived& told) {
        Request& request = side.requests.at(told.id.value());
        require(request.is_open, "nothing follows the end");
        append(request.received, told.chunk);
        request.ungranted += told.chunk.size();
        require(request.ungranted <= request.window, "credit bounds what is not processed");
        const Bytes& written = other(side).served.at(told.id.value()).written;
        require(request.received.size() <= written.size() &&
                    equal(request.received, ByteView(written).first(request.received.size())),
                "chunks are those written, in order");
    }

    void take(Side& side, RequestEnded& told) {
        Request& request = side.requests.at(told.id.value());
        require(std::exchange(request.is_open, false), "a request has one outcome");
        --open_;
        if (!told.outcome) {
            ++failed_;
            if (told.outcome.error().code == Errc::DeadlineExceeded)
                require(now_ >= request.deadline, "deadlines are not early");
            return;
        }
        ++complete_;
        const Served& served = other(side).served.at(told.id.value());
        require(served.is_finished && served.is_success &&
                    request.received.size() == served.written.size(),
                "an answer that is complete is whole");
    }

    void take(Side& /*side*/, StreamWritable& /*told*/) {}

    std::mt19937_64 rng_;
    double loss_;
    bool corrupts_;
    Instant now_{};
    std::array<Side, 2> sides_;
    std::size_t open_ = 0;
    std::size_t complete_ = 0;
    std::size_t failed_ = 0;
    std::string broken_;
};

}  // namespace draco::pool
