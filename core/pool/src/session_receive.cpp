// What the peer's frames do to a Session.

#include "draco/pool/session.hpp"

#include "frames.hpp"

#include <algorithm>

namespace draco::pool {

using interfaces::kRequestBytesMax;
using interfaces::kResponseChunkBytesMax;
using interfaces::RequestId;

namespace {

// Where a frame may travel.
bool belongs_on(const Frame& frame, Channel channel) {
    if (std::holds_alternative<MessageFrame>(frame)) return true;
    const bool by_responder =
        std::holds_alternative<ChunkFrame>(frame) || std::holds_alternative<EndFrame>(frame);
    return channel == (by_responder ? Channel::Bulk : Channel::Control);
}

}  // namespace

void Session::on(const FrameReceived& event, Instant now, Effects& effects) {
    if (!is_up_) {
        ++effects.refused;
        return;
    }
    const auto frame = bcs::decode<Frame>(event.frame);
    if (!frame) return violated("a frame that does not decode", effects);
    if (!belongs_on(*frame, event.channel)) return violated("a frame on a wrong channel", effects);
    std::visit([&](const auto& f) { receive(f, now, effects); }, *frame);
}

void Session::receive(const MessageFrame& frame, Instant /*now*/, Effects& effects) {
    effects.told.emplace_back(MessageArrived{.protocol = frame.protocol, .message = frame.message});
}

void Session::receive(const OpenFrame& frame, Instant now, Effects& effects) {
    if (frame.request.size() > kRequestBytesMax)
        return violated("a request that is too long", effects);
    // A link may bring what was sent twice.
    if (inbound_.contains(frame.id)) {
        ++effects.refused;
        return;
    }
    if (inbound_.size() >= limits_.requests_max) {
        ++effects.refused;
        return send_end(frame.id, 0, fail(Errc::Exhausted, "too many requests are open"));
    }
    const Duration left =
        std::min<Duration>(std::chrono::milliseconds(frame.deadline_ms), kRequestDeadlineMax);
    const InboundStream id{.wire = frame.id, .serial = ++serial_last_};
    inbound_.emplace(frame.id,
                     Inbound{.serial = id.serial, .deadline = now + left, .limit = frame.limit});
    deadlines_.emplace(now + left, Side::Responder, frame.id);
    effects.told.emplace_back(RequestArrived{
        .stream = id, .protocol = frame.protocol, .request = to_bytes(frame.request)});
}

void Session::receive(const CreditFrame& frame, Instant /*now*/, Effects& effects) {
    const auto found = inbound_.find(frame.id);
    if (found == inbound_.end()) return;  // over here, and the peer does not know yet
    found->second.limit = std::max(found->second.limit, frame.limit);
    tell_if_writable(frame.id, found->second, effects);
}

void Session::receive(const CancelFrame& frame, Instant /*now*/, Effects& effects) {
    if (inbound_.contains(frame.id)) end_inbound(frame.id, effects);
}

void Session::receive(const ChunkFrame& frame, Instant /*now*/, Effects& effects) {
    if (frame.chunk.empty() || frame.chunk.size() > kResponseChunkBytesMax)
        return violated("a chunk that is empty or too long", effects);
    const auto found = outbound_.find(frame.id);
    if (found == outbound_.end())  // the responder works for nobody
        return queue_small(Channel::Control, bcs::encode(Frame(CancelFrame{frame.id})));
    Outbound& stream = found->second;
    if (frame.offset < stream.received) return violated("a chunk that was sent before", effects);
    if (frame.offset > stream.received) {
        queue_small(Channel::Control, bcs::encode(Frame(CancelFrame{frame.id})));
        return end_outbound(
            frame.id, fail(Errc::Unavailable, "a part of the answer was lost"), effects);
    }
    if (stream.limit - stream.received < frame.chunk.size())
        return violated("more bytes than it had credit for", effects);
    stream.received += frame.chunk.size();
    effects.told.emplace_back(ChunkArrived{RequestId(frame.id), to_bytes(frame.chunk)});
}

void Session::receive(const EndFrame& frame, Instant /*now*/, Effects& effects) {
    const auto found = outbound_.find(frame.id);
    if (found == outbound_.end()) return;
    Result<> outcome = outcome_of(frame);
    if (frame.offset < found->second.received)
        return violated("an end before what was sent", effects);
    if (outcome && frame.offset > found->second.received)
        outcome = fail(Errc::Unavailable, "a part of the answer was lost");
    end_outbound(frame.id, std::move(outcome), effects);
}

}  // namespace draco::pool
