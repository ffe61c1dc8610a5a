#include "draco/pool/session.hpp"

#include "draco/base/assert.hpp"

#include "frames.hpp"

#include <algorithm>

namespace draco::pool {

using interfaces::kRequestBytesMax;
using interfaces::kResponseChunkBytesMax;
using interfaces::RequestId;

void Session::step(const Event& event, Instant now, Effects& effects) {
    std::visit([&](const auto& e) { on(e, now, effects); }, event);
}

Result<> Session::check_open() const {
    if (!is_up_) return fail(Errc::Unavailable, "the link is down");
    if (outbound_.size() >= limits_.requests_max)
        return fail(Errc::Exhausted,
                    std::to_string(outbound_.size()) + " requests to this peer are open");
    if (backlog_bytes_ >= limits_.backlog_bytes_max)
        return fail(Errc::Exhausted, "too much waits to be sent to this peer");
    return {};
}

Result<> Session::check_write(InboundStream id, std::size_t bytes) const {
    const Inbound* const stream = find(id);
    if (stream == nullptr) return fail(Errc::Unavailable, "nobody waits for this answer any more");
    if (stream->limit - stream->sent < bytes)
        return fail(Errc::Exhausted, "no credit for " + std::to_string(bytes) + " bytes now");
    if (backlog_bytes_ >= limits_.backlog_bytes_max)
        return fail(Errc::Exhausted, "too much waits to be sent to this peer");
    return {};
}

std::optional<Instant> Session::wake_at() const {
    if (deadlines_.empty()) return std::nullopt;
    return std::get<Instant>(*deadlines_.begin());
}

const Bytes* Session::next_frame(Channel channel) const {
    const auto& waiting = backlog_[static_cast<std::size_t>(channel)];
    return waiting.empty() ? nullptr : &waiting.front();
}

void Session::pop_frame(Channel channel) {
    auto& waiting = backlog_[static_cast<std::size_t>(channel)];
    backlog_bytes_ -= waiting.front().size();
    waiting.pop_front();
}

void Session::queue(Channel channel, Bytes frame) {
    backlog_bytes_ += frame.size();
    backlog_[static_cast<std::size_t>(channel)].push_back(std::move(frame));
}

// Credit, cancel and end are owed even when the backlog is full.
void Session::queue_small(Channel channel, Bytes frame) {
    if (backlog_bytes_ < 2 * limits_.backlog_bytes_max) queue(channel, std::move(frame));
}

// ---------------------------------------------------------------- the link

void Session::on(const LinkUp& /*event*/, Instant /*now*/, Effects& effects) {
    end_all(Errc::Unavailable, "the link came up anew", effects);
    is_up_ = true;
}

void Session::on(const LinkDown& /*event*/, Instant /*now*/, Effects& effects) {
    end_all(Errc::Unavailable, "the link broke", effects);
}

void Session::end_all(Errc code, const std::string& why, Effects& effects) {
    is_up_ = false;
    for (auto& waiting : backlog_) waiting.clear();
    backlog_bytes_ = 0;
    while (!outbound_.empty()) end_outbound(outbound_.begin()->first, fail(code, why), effects);
    while (!inbound_.empty()) end_inbound(inbound_.begin()->first, effects);
}

void Session::violated(std::string how, Effects& effects) {
    ++effects.refused;
    end_all(Errc::Corrupt, "the peer broke the rules of the link: " + how, effects);
    effects.violation = std::move(how);
}

void Session::on(const TimePassed& /*event*/, Instant now, Effects& effects) {
    while (!deadlines_.empty() && std::get<Instant>(*deadlines_.begin()) <= now) {
        const auto [when, side, id] = *deadlines_.begin();
        if (side == Side::Responder) {
            end_inbound(id, effects);
            continue;
        }
        queue_small(Channel::Control, bcs::encode(Frame(CancelFrame{id})));
        end_outbound(id, fail(Errc::DeadlineExceeded, "no complete answer in time"), effects);
    }
}

void Session::on(const BacklogTaken& /*event*/, Instant /*now*/, Effects& effects) {
    if (backlog_bytes_ >= limits_.backlog_bytes_max) return;
    for (auto& [wire, stream] : inbound_) tell_if_writable(wire, stream, effects);
}

// ---------------------------------------------------------------- requesting

void Session::on(const OpenRequest& event, Instant now, Effects& /*effects*/) {
    DRACO_ASSERT(check_open() && !outbound_.contains(event.id.value()),
                 "a request is opened after check_open, under an id of its own");
    DRACO_ASSERT(event.request.size() <= kRequestBytesMax, "a request is bounded by its sender");
    const Duration left = std::clamp(event.deadline - now, Duration{0}, kRequestDeadlineMax);
    const Instant deadline = now + left;
    const std::size_t window = std::clamp(event.credit_bytes, kCreditBytesMin, kCreditBytesMax);
    outbound_.emplace(
        event.id.value(),
        Outbound{.deadline = deadline, .window = window, .limit = window, .granted = window});
    deadlines_.emplace(deadline, Side::Requester, event.id.value());
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    queue(Channel::Control,
          bcs::encode(Frame(OpenFrame{.id = event.id.value(),
                                      .protocol = event.protocol,
                                      .deadline_ms = static_cast<std::uint32_t>(left_ms),
                                      .limit = window,
                                      .request = event.request})));
}

void Session::on(const GrantCredit& event, Instant /*now*/, Effects& /*effects*/) {
    constexpr std::size_t kPortions = 4;
    const auto found = outbound_.find(event.id.value());
    if (found == outbound_.end()) return;
    Outbound& stream = found->second;
    // No more than was used: the window does not grow.
    stream.granted = std::min(stream.granted + std::min<std::uint64_t>(event.bytes, stream.window),
                              stream.received + stream.window);
    if (stream.granted - stream.limit < stream.window / kPortions) return;
    if (backlog_bytes_ >= 2 * limits_.backlog_bytes_max) return;  // with the next grant
    stream.limit = stream.granted;
    queue_small(Channel::Control,
                bcs::encode(Frame(CreditFrame{.id = event.id.value(), .limit = stream.limit})));
}

void Session::on(const CancelRequest& event, Instant /*now*/, Effects& effects) {
    const std::uint64_t id = event.id.value();
    if (!outbound_.contains(id)) return;
    queue_small(Channel::Control, bcs::encode(Frame(CancelFrame{id})));
    end_outbound(id, fail(Errc::Abandoned, "the request was cancelled here"), effects);
}

void Session::end_outbound(std::uint64_t id, Result<> outcome, Effects& effects) {
    const auto found = outbound_.find(id);
    deadlines_.erase({found->second.deadline, Side::Requester, id});
    outbound_.erase(found);
    effects.told.emplace_back(RequestEnded{RequestId(id), std::move(outcome)});
}

// ---------------------------------------------------------------- responding

Session::Inbound* Session::find(InboundStream id) {
    return const_cast<Inbound*>(std::as_const(*this).find(id));
}

const Session::Inbound* Session::find(InboundStream id) const {
    const auto found = inbound_.find(id.wire);
    return found != inbound_.end() && found->second.serial == id.serial ? &found->second : nullptr;
}

void Session::on(const WriteChunk& event, Instant /*now*/, Effects& /*effects*/) {
    DRACO_ASSERT(check_write(event.stream, event.chunk.size()) && !event.chunk.empty() &&
                     event.chunk.size() <= kResponseChunkBytesMax,
                 "a chunk is bounded and written after check_write");
    Inbound& stream = *find(event.stream);
    queue(Channel::Bulk,
          bcs::encode(Frame(
              ChunkFrame{.id = event.stream.wire, .offset = stream.sent, .chunk = event.chunk})));
    stream.sent += event.chunk.size();
}

void Session::on(const AwaitWritable& event, Instant /*now*/, Effects& effects) {
    Inbound* const stream = find(event.stream);
    if (stream == nullptr) {
        effects.told.emplace_back(StreamWritable{event.stream});
        return;
    }
    stream->awaited = std::min(event.bytes, kResponseChunkBytesMax);
    tell_if_writable(event.stream.wire, *stream, effects);
}

void Session::tell_if_writable(std::uint64_t wire, Inbound& stream, Effects& effects) {
    const InboundStream id{.wire = wire, .serial = stream.serial};
    if (!stream.awaited || !check_write(id, *stream.awaited)) return;
    stream.awaited.reset();
    effects.told.emplace_back(StreamWritable{id});
}

void Session::on(const FinishStream& event, Instant /*now*/, Effects& effects) {
    const Inbound* const stream = find(event.stream);
    if (stream == nullptr) return;
    send_end(event.stream.wire, stream->sent, event.outcome);
    end_inbound(event.stream.wire, effects);
}

void Session::send_end(std::uint64_t wire, std::uint64_t offset, const Result<>& outcome) {
    queue_small(Channel::Bulk, bcs::encode(Frame(end_frame(wire, offset, outcome))));
}

void Session::end_inbound(std::uint64_t wire, Effects& effects) {
    const auto found = inbound_.find(wire);
    deadlines_.erase({found->second.deadline, Side::Responder, wire});
    if (found->second.awaited)
        effects.told.emplace_back(StreamWritable{{.wire = wire, .serial = found->second.serial}});
    inbound_.erase(found);
}

}  // namespace draco::pool
