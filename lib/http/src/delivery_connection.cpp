#include "delivery_connection.hpp"

#include "answer_head.hpp"

#include <algorithm>
#include <utility>

namespace draco::http {
namespace {

constexpr std::size_t kBatchBytes = 16 << 10;                      // of answers sent together
constexpr std::uint64_t kTurnBytes = std::uint64_t{1} << 20;       // sent before others' turn
constexpr int kTurnSteps = 64;                                     // requests, before others' turn
constexpr std::uint64_t kLingerBytesMax = std::uint64_t{1} << 20;  // read and discarded
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Answer no_room_answer() {
    Answer answer = text_answer(503, "too many answers are on their way; try again soon\n");
    answer.fields.add("Retry-After", "2");
    return answer;
}

}  // namespace

DeliveryConnection::DeliveryConnection(ConnectionHost& host,
                                       std::unique_ptr<Transport> transport,
                                       const Peer& peer,
                                       std::uint32_t slot,
                                       std::uint64_t serial)
    : host_(host),
      transport_(std::move(transport)),
      serial_(serial),
      timer_(this),
      parser_(host.options().limits),
      outgoing_(host.options().pieces_in_flight_max),
      place_(host.room(), this),
      rate_(host.options().response_bytes_per_s_min, host.options().stall_deadline),
      slot_(slot),
      peer_(peer) {
    arm(Wait::KeepAlive, true);
}

DeliveryConnection::~DeliveryConnection() {
    if (is_unanswered_) host_.counters().gone.add();
    tell_gone();
}

void DeliveryConnection::tell_gone() {
    if (const auto notice = std::exchange(notice_, nullptr)) notice->gone();
}

void DeliveryConnection::note_readable(bool has_peer_ended) {
    is_readable_ = true;
    may_have_ended_ |= has_peer_ended;
}

void DeliveryConnection::note_writable() {
    is_writable_ = true;
}

void DeliveryConnection::drain() {
    is_last_ = true;
    if (phase_ == Phase::Lingering) phase_ = Phase::Over;
}

void DeliveryConnection::reset() {
    transport_->reset();
    phase_ = Phase::Over;
}

void DeliveryConnection::work() {
    wants_turn_ = false;
    has_progress_ = false;
    for (int step = 0; phase_ != Phase::Over; ++step) {
        if (step == kTurnSteps) {
            wants_turn_ = true;
            break;
        }
        if (phase_ == Phase::Lingering) {
            linger();
            break;
        }
        if (may_read_on() && take_ahead()) continue;
        begin_answer();
        if (!send() || phase_ == Phase::Handling) break;
        if (phase_ != Phase::Reading) continue;
        if (is_last_ || (has_peer_ended_ && ahead_.empty())) {
            finish();
        } else if (ahead_.empty()) {
            if (!is_readable_) break;
            read();
        }
    }
    if (phase_ != Phase::Over) judge_peer();
    if (phase_ != Phase::Over) arm();
}

// What was sent ahead is answered together, as long as the answers are small.
bool DeliveryConnection::may_read_on() const {
    return phase_ == Phase::Reading && !is_last_ && !ahead_.empty() &&
           outgoing_.buffered_bytes() < kBatchBytes;
}

// Whether all that there is was sent.
bool DeliveryConnection::send() {
    is_blocked_ = false;
    if (outgoing_.empty()) return true;
    pull_pieces();
    if (!is_writable_) {
        is_blocked_ = true;
        return false;
    }
    const Outgoing::Progress progress = outgoing_.flush(*transport_, kTurnBytes);
    after_send(progress);
    return progress.outcome == Outgoing::Outcome::Sent;
}

void DeliveryConnection::pull_pieces() {
    bool pulled = false;
    const bool was_in_line = place_.is_in_line();
    while (outgoing_.wants_piece() && host_.room().take(place_, outgoing_.piece_bytes_max())) {
        pulled = true;
        const auto want = outgoing_.next_want();
        want->body.pull(PieceReply(host_.shared_inbox(), {slot_, serial_, number_}, want->piece));
    }
    if (pulled) host_.settle();
    if (!place_.is_in_line() || was_in_line) return;
    host_.counters().room_waits.add();
    in_line_since_ = host_.now();
    outgoing_.let_go();
}

void DeliveryConnection::give_back_room() {
    const std::uint64_t held = outgoing_.held_bytes();
    if (held < place_.bytes()) host_.room().give_back(place_, place_.bytes() - held);
}

// Bodies that are pulled wait for their turn; those that are in memory already cannot.
bool DeliveryConnection::has_room_for(const Answer& answer) {
    const auto* shared = std::get_if<SharedBytes>(&answer.body);
    if (shared == nullptr || shared->bytes.size() <= kCopiedBodyBytesMax || is_head_ ||
        !has_content(answer.status))
        return true;
    return host_.room().take_at_once(place_, shared->bytes.size());
}

std::uint64_t DeliveryConnection::taken_bytes() const {
    return sent_bytes_ - std::min(sent_bytes_, transport_->unacknowledged_bytes());
}

void DeliveryConnection::note_taken() {
    host_.room().note(place_, is_blocked_, taken_bytes(), host_.now());
}

void DeliveryConnection::crowd_out() {
    host_.counters().crowded_out.add();
    reset();
}

void DeliveryConnection::judge_peer() {
    if (!is_blocked_ && !was_behind_) return;
    was_behind_ = is_blocked_;
    const std::uint64_t taken = taken_bytes();
    host_.room().note(place_, is_blocked_, taken, host_.now());
    switch (rate_.judge(host_.now(), taken, is_blocked_)) {
        case TakingRate::Verdict::Fine:
            return;
        case TakingRate::Verdict::TookNothing:
            host_.counters().stalled.add();
            break;
        case TakingRate::Verdict::TooSlow:
            host_.counters().too_slow.add();
            break;
    }
    reset();
}

void DeliveryConnection::after_send(const Outgoing::Progress& progress) {
    using Outcome = Outgoing::Outcome;
    host_.counters().bytes_sent.add(progress.bytes);
    sent_bytes_ += progress.bytes;
    give_back_room();
    has_progress_ |= progress.bytes > 0;
    switch (progress.outcome) {
        case Outcome::Sent:
            if (phase_ == Phase::Sending) phase_ = Phase::Reading;
            break;
        case Outcome::Blocked:
            is_writable_ = false;
            is_blocked_ = true;
            break;
        case Outcome::Starved:
            // There is room for the pieces that were sent, so others may be asked for.
            wants_turn_ = progress.bytes > 0;
            break;
        case Outcome::Paused:
            wants_turn_ = true;
            break;
        case Outcome::Failed:
            phase_ = Phase::Over;
            break;
        case Outcome::CutOff:
            host_.counters().cut_off.add();
            phase_ = Phase::Over;
            break;
    }
}

void DeliveryConnection::read() {
    const MutByteView scratch = host_.scratch();
    const Transfer transfer = transport_->read(scratch);
    switch (transfer.status) {
        case Transfer::Status::Some: {
            // Less than there was room for is all there was, unless the end is behind it.
            if (transfer.bytes < scratch.size() && !may_have_ended_) is_readable_ = false;
            const ByteView bytes = scratch.first(transfer.bytes);
            const std::size_t taken = take_bytes(bytes);
            ahead_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
            ahead_taken_ = 0;
            break;
        }
        case Transfer::Status::Blocked:
            is_readable_ = false;
            break;
        case Transfer::Status::Ended:
            is_readable_ = false;
            has_peer_ended_ = true;
            break;
        case Transfer::Status::Failed:
            phase_ = Phase::Over;
            break;
    }
}

// Whether there is, or may be, more to do with what was read ahead.
bool DeliveryConnection::take_ahead() {
    ahead_taken_ += take_bytes(ByteView(ahead_).subspan(ahead_taken_));
    if (ahead_taken_ == ahead_.size()) {
        ahead_.clear();
        ahead_taken_ = 0;
    }
    return phase_ == Phase::Reading;
}

// Up to the end of one request, which is given to the handler.
std::size_t DeliveryConnection::take_bytes(ByteView bytes) {
    const auto taken = parser_.feed(bytes);
    if (!taken) {
        refuse(taken.error());
        return bytes.size();
    }
    if (parser_.is_complete()) {
        hand_on();
    } else if (parser_.expects_continue() && !std::exchange(told_to_continue_, true)) {
        outgoing_.buffer().append(kContinue);
    }
    return *taken;
}

void DeliveryConnection::hand_on() {
    const Request& request = parser_.request();
    told_to_continue_ = false;
    is_head_ = request.method == "HEAD";
    is_http_1_0_ = request.minor_version == 0;
    keeps_alive_ = request.keep_alive;
    ++number_;
    phase_ = Phase::Handling;
    is_unanswered_ = true;
    host_.counters().requests.add();
    host_.handler().on_request(
        request, peer_, Reply(host_.shared_inbox(), {slot_, serial_, number_}));
    parser_.next();
    host_.settle();
}

// Shows whether the client that has ended still reads: if not, its system answers with a reset.
void DeliveryConnection::begin_answer() {
    if (phase_ != Phase::Handling || !may_have_ended_ || std::exchange(has_begun_answer_, true))
        return;
    outgoing_.buffer().append(kHeadBegin);
}

void DeliveryConnection::watch(std::uint64_t number, std::shared_ptr<detail::GoneNotice> notice) {
    if (number != number_ || phase_ != Phase::Handling) return notice->gone();
    notice_ = std::move(notice);
}

void DeliveryConnection::refuse(const ParseError& error) {
    host_.counters().malformed.add();
    is_head_ = false;
    queue_and_close(error.status, error.what + "\n");
}

void DeliveryConnection::queue_and_close(unsigned status, std::string_view text) {
    keeps_alive_ = false;
    is_refused_ = true;
    ++number_;
    Answer answer = text_answer(status, std::string(text));
    queue_answer(answer, text.size());
    if (!is_head_) outgoing_.add_body(std::move(answer.body));
}

void DeliveryConnection::answered(std::uint64_t number, Answer answer) {
    if (number != number_ || phase_ != Phase::Handling) return;
    is_unanswered_ = false;
    notice_.reset();
    if (!is_well_formed(answer)) answer = text_answer(500, "the answer is malformed\n");
    if (!has_room_for(answer)) {
        host_.counters().no_room.add();
        host_.make_room();
        answer = no_room_answer();
    }
    queue_answer(answer, body_bytes(answer.body));
    if (!is_head_ && has_content(answer.status)) outgoing_.add_body(std::move(answer.body));
    phase_ = outgoing_.has_body() ? Phase::Sending : Phase::Reading;
}

void DeliveryConnection::queue_answer(const Answer& answer, std::uint64_t length) {
    is_last_ |= !keeps_alive_;
    const Persistence persistence = is_last_       ? Persistence::Ended
                                    : is_http_1_0_ ? Persistence::Told
                                                   : Persistence::Implied;
    std::string& buffer = outgoing_.buffer();
    const std::size_t begin = buffer.size();
    append_head(buffer, answer, host_.date_line(), length, persistence);
    if (std::exchange(has_begun_answer_, false)) buffer.erase(begin, kHeadBegin.size());
    host_.counters().answers[answer.status / 100].add();
}

void DeliveryConnection::delivered(std::uint64_t number,
                                   std::uint64_t piece,
                                   Result<SharedBytes> bytes) {
    if (number != number_ || phase_ != Phase::Sending || !outgoing_.has_body()) return;
    if (bytes && outgoing_.put_piece(piece, *std::move(bytes))) return;
    host_.counters().cut_off.add();
    phase_ = Phase::Over;
}

void DeliveryConnection::expired(Wait what) {
    switch (what) {
        case Wait::KeepAlive:
        case Wait::Linger:
            phase_ = Phase::Over;
            break;
        case Wait::Request:
            host_.counters().timed_out.add();
            is_head_ = false;
            queue_and_close(408, "the request took too long to arrive\n");
            break;
        case Wait::Stall:
            break;  // work() judges the peer
        case Wait::Room:
            if (host_.now() - in_line_since_ < host_.options().answer_deadline)
                return host_.make_room();
            host_.counters().unanswered.add();
            reset();
            break;
        case Wait::Answer:
            host_.counters().unanswered.add();
            if (phase_ != Phase::Handling) return reset();
            phase_ = Phase::Reading;
            is_unanswered_ = false;
            queue_and_close(504, "the answer took too long to be made; try again later\n");
            tell_gone();
            break;
    }
}

// A connection that is closed while the peer still sends is reset, and what was sent last with it.
void DeliveryConnection::finish() {
    const bool may_send_on = is_refused_ || is_readable_ || !ahead_.empty();
    if (!may_send_on || has_peer_ended_) {
        phase_ = Phase::Over;
        return;
    }
    transport_->end();
    ahead_.clear();
    phase_ = Phase::Lingering;
}

void DeliveryConnection::linger() {
    while (is_readable_) {
        const Transfer transfer = transport_->read(host_.scratch());
        if (transfer.status == Transfer::Status::Blocked) {
            is_readable_ = false;
            return;
        }
        lingered_bytes_ += transfer.bytes;
        if (transfer.status != Transfer::Status::Some || lingered_bytes_ > kLingerBytesMax) {
            phase_ = Phase::Over;
            return;
        }
    }
}

void DeliveryConnection::arm() {
    if (phase_ == Phase::Lingering) {
        arm(Wait::Linger, false);
    } else if (is_blocked_) {
        arm(Wait::Stall, has_progress_);
    } else if (place_.is_in_line()) {
        arm(Wait::Room, false);
    } else if (phase_ != Phase::Reading) {
        arm(Wait::Answer, has_progress_);
    } else if (parser_.has_begun()) {
        arm(Wait::Request, has_progress_);
    } else {
        arm(Wait::KeepAlive, has_progress_);
    }
}

void DeliveryConnection::arm(Wait what, bool restart) {
    if (!restart && timer_.waits_for(what)) return;
    host_.deadlines().arm(timer_, what, host_.now());
}

}  // namespace draco::http
