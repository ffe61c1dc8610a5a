// Sessions from the connection to the welcome, acknowledgements, and ends.

#include "core.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::handshake {

namespace wire = types::session;

std::optional<std::uint16_t> hello_version(ByteView message) {
    constexpr std::size_t kVersionOffset = 1;  // behind the index of the variant
    if (message.size() < kVersionOffset + sizeof(std::uint16_t) || message[0] != 0)
        return std::nullopt;
    return load_le<std::uint16_t>(message.data() + kVersionOffset);
}

Core::Core(const CoreOptions& options)
    : options_(options),
      lanes_(options.limits.lanes),
      network_buckets_(options.limits.free.bytes_per_s,
                       options.limits.free.burst_bytes,
                       options.limits.free.networks_max),
      lane_buckets_(options.limits.lanes.unpaid_bytes_per_s,
                    options.limits.lanes.unpaid_burst_bytes,
                    options.limits.lanes.lanes_remembered_max) {}

void Core::step(Event event, Instant now, Effects& effects) {
    now_ = now;
    effects_ = &effects;
    std::visit([this](auto& happened) { on(happened); }, event);
    effects_ = nullptr;
}

std::optional<Instant> Core::next_alarm() const {
    if (alarms_.empty()) return std::nullopt;
    return alarms_.begin()->first;
}

SessionCounters Core::counters() const {
    SessionCounters counters = counters_;
    counters.sessions = sessions_.size();
    return counters;
}

// ---------------------------------------------------------------- beginning

void Core::on(Accepted& event) {
    Session& session = sessions_[event.session];
    session.id = event.session;
    session.network = event.network;
    session.nonce = event.nonce;
    session.active_at = now_;
    session.alarm = Instant{Duration::max()};
    alarms_.emplace(session.alarm, session.id);
    std::size_t& of_network = network_sessions_[session.network];
    ++of_network;
    if (sessions_.size() > options_.limits.sessions_max)
        return end(session, Errc::Exhausted, "this node has too many sessions: try another node");
    if (of_network > options_.limits.sessions_per_network_max)
        return end(session,
                   Errc::Exhausted,
                   "too many sessions from your network: close some, or use one for all requests");
    arm(session);
}

void Core::on(Received& event) {
    Session* const session = find(event.session);
    if (session == nullptr) return;
    if (session->phase == Phase::Hello) {
        const auto version = hello_version(event.message);
        if (version && *version != wire::kVersion)
            return end(*session,
                       Errc::InvalidArgument,
                       "version " + std::to_string(*version) +
                           " of the session protocol, where this node speaks version " +
                           std::to_string(wire::kVersion) + ": update the older program");
    }
    auto message = wire::decode_client_message(event.message);
    if (!message) return violation(*session, message.error().context);
    const bool is_begun = session->phase == Phase::Ready;
    const bool is_hello = std::holds_alternative<wire::Hello>(*message);
    const bool is_proof = std::holds_alternative<wire::Proof>(*message);
    if ((is_hello && session->phase != Phase::Hello) ||
        (is_proof && session->phase != Phase::Proof) || (!is_hello && !is_proof && !is_begun))
        return violation(*session, "a message out of its turn");
    if (is_begun) session->active_at = session->heard_at = now_;
    std::visit([&](const auto& taken) { take(*session, taken); }, *message);
    if (Session* const left = find(event.session)) arm(*left);
}

void Core::on(Broken& event) {
    if (Session* const session = find(event.session))
        violation(*session,
                  "what was sent is no message of a session, or a longer one than allowed");
}

void Core::take(Session& session, const wire::Hello& hello) {
    if (hello.chain != options_.chain)
        return end(session,
                   Errc::InvalidArgument,
                   "this node is of chain " + std::to_string(options_.chain.value()) +
                       ", not of chain " + std::to_string(hello.chain.value()));
    session.claim = hello.lane;
    if (!session.claim) {
        std::size_t& count = network_free_[session.network];
        session.is_free = true;
        ++free_count_;
        if (++count > options_.limits.free.sessions_per_network_max)
            return end(session,
                       Errc::Exhausted,
                       "too many free sessions from your network: close some, or open a lane to "
                       "this node and pay");
        if (free_count_ > options_.limits.free.sessions_max)
            return end(session,
                       Errc::Exhausted,
                       "this node has too many free sessions: try another node, or open a lane to "
                       "this one and pay");
    }
    send(session,
         wire::Challenge{.version = wire::kVersion,
                         .chain = options_.chain,
                         .node = options_.node,
                         .nonce = session.nonce});
    if (session.is_free) return welcome_free(session);
    session.phase = Phase::Proof;
}

void Core::take(Session& session, const wire::Proof& proof) {
    session.proof = proof.signature;
    session.phase = Phase::Standing;
    session.is_standing_read = true;
    effects_->emplace_back(ReadStanding{.session = session.id, .lane = lane_key(*session.claim)});
}

void Core::on(StandingRead& event) {
    Session* const session = find(event.session);
    if (session == nullptr) return;
    session->is_standing_read = false;
    if (session->phase == Phase::Ready) {
        if (event.standing) {
            const LaneId lane = *session->lane;
            if (event.standing->lane.instance != lane.second)
                return end(*session, Errc::Unavailable, "the lane has ended");
            lanes_.update(lane, *event.standing);
            pump_lane(lane);
        }
        return;
    }
    if (!event.standing)
        return end(*session, event.standing.error().code, event.standing.error().context);
    const interfaces::LaneStanding& standing = *event.standing;
    if (standing.lane.instance != session->claim->instance)
        return end(*session,
                   Errc::NotFound,
                   "the lane of this index is another one (instance " +
                       std::to_string(standing.lane.instance.value()) +
                       "): open the session with it");
    const auto proven = wire::verify(
        options_.chain,
        standing.lane.session_key,
        wire::Proven{.lane = *session->claim, .node = options_.node, .nonce = session->nonce},
        session->proof);
    if (!proven)
        return end(*session,
                   Errc::Unauthenticated,
                   "the proof is not by the lane's session key: use the key that the lane was "
                   "opened with");
    welcome(*session, standing);
}

void Core::welcome(Session& session, const interfaces::LaneStanding& standing) {
    const LaneId lane{lane_key(*session.claim), session.claim->instance};
    if (!make_place(lane))
        return end(session,
                   Errc::Exhausted,
                   "this lane has " + std::to_string(options_.limits.lanes.sessions_max) +
                       " sessions already, as many as may be: close one, or ask for everything in "
                       "one session");
    lanes_.enter(lane, standing, now_);
    lane_sessions_[lane].insert(session.id);
    session.lane = lane;
    session.phase = Phase::Ready;
    session.active_at = session.heard_at = now_;
    ++counters_.lane_sessions;
    send(session, wire::Welcome{.lane = standing_of(lane, standing)});
    arm(session);
}

// A client that lost its connection may be back before the node has noticed: the session that was
// silent longest makes place.
bool Core::make_place(const LaneId& lane) {
    const auto found = lane_sessions_.find(lane);
    if (found == lane_sessions_.end()) return true;
    std::size_t count = 0;
    Session* quietest = nullptr;
    for (const SessionId id : found->second) {
        Session* const session = find(id);
        if (session == nullptr) continue;
        ++count;
        if (quietest == nullptr || session->heard_at < quietest->heard_at) quietest = session;
    }
    if (count < options_.limits.lanes.sessions_max) return true;
    if (quietest == nullptr || !is_silent(*quietest)) return false;
    end(*quietest,
        Errc::Unavailable,
        "nothing was said for some time, and a newer session of the lane has taken this place: "
        "connect again");
    return true;
}

bool Core::is_silent(const Session& session) const {
    return session.heard_at + options_.limits.silent_after <= now_;
}

void Core::welcome_free(Session& session) {
    session.phase = Phase::Ready;
    session.active_at = session.heard_at = now_;
    ++counters_.free_sessions;
    send(session, wire::Welcome{});
}

// ---------------------------------------------------------------- acknowledgements

void Core::take(Session& session, const wire::Ack& ack) {
    if (!session.lane) return violation(session, "an acknowledgement in a free session");
    const types::DeliveryAck& word = ack.ack.ack;
    const auto& [lane, instance] = *session.lane;
    if (word.payer != lane.payer || word.node != lane.node || word.lane != lane.index ||
        word.instance != instance)
        return violation(session, "an acknowledgement of another lane than the session's");
    if (session.is_ack_judged) {
        // Of several that come meanwhile, the greatest says all.
        if (!session.ack_waiting || session.ack_waiting->ack.cumulative < word.cumulative)
            session.ack_waiting = ack.ack;
        return;
    }
    judge(session, ack.ack);
}

void Core::judge(Session& session, const types::SignedDeliveryAck& ack) {
    session.is_ack_judged = true;
    effects_->emplace_back(JudgeAck{.session = session.id, .ack = ack});
}

void Core::on(AckJudged& event) {
    Session* const session = find(event.session);
    if (session == nullptr) return;
    session->is_ack_judged = false;
    if (event.standing) {
        ++counters_.acks_taken;
        const LaneId lane = *session->lane;
        lanes_.update(lane, *event.standing);
        const LaneBook::Account& account = lanes_.account(lane);
        send(*session,
             wire::AckTaken{.cumulative = event.cumulative,
                            .units_max = account.units_max,
                            .window = lanes_.window(account)});
        pump_lane(lane);
    } else {
        ++counters_.acks_refused;
        const Error& why = event.standing.error();
        send(*session,
             wire::AckRefused{.cumulative = event.cumulative,
                              .code = wire::to_code(why.code),
                              .text = wire::make_text(why.context)});
        if (++session->acks_refused >= options_.limits.acks_refused_max)
            return violation(*session, "too many acknowledgements that were refused");
    }
    if (auto next = std::exchange(session->ack_waiting, std::nullopt)) judge(*session, *next);
}

// ---------------------------------------------------------------- ends

void Core::end(Session& session, Errc code, std::string why) {
    if (session.phase != Phase::Ready) ++counters_.refused;
    send(session, wire::make_end(0, fail(code, std::move(why))));
    leave_requests(session);
    effects_->emplace_back(Close{.session = session.id});
    arm(session);
}

void Core::reset(Session& session) {
    leave_requests(session);
    effects_->emplace_back(Reset{.session = session.id});
    arm(session);
}

void Core::leave_requests(Session& session) {
    session.phase = Phase::Ending;
    session.active_at = now_;
    session.is_full = false;
    for (const auto& [id, request] : session.requests)
        effects_->emplace_back(DropContent{.session = session.id, .id = id});
    session.requests.clear();
}

void Core::violation(Session& session, std::string why) {
    ++counters_.violations;
    end(session, Errc::InvalidArgument, std::move(why));
}

void Core::on(Closed& event) {
    const auto found = sessions_.find(event.session);
    if (found == sessions_.end()) return;
    const Session& session = found->second;
    const std::optional<LaneId> left = session.lane;
    if (left) {
        const LaneId& lane = *left;
        for (const auto& [block, reserved] : session.reads) lanes_.release(lane, reserved, 0);
        lanes_.unsend(lane, event.unsent_bytes);
        lanes_.leave(lane, now_);
        const auto of_lane = lane_sessions_.find(lane);
        of_lane->second.erase(session.id);
        if (of_lane->second.empty()) lane_sessions_.erase(of_lane);
    }
    for (const auto& [id, request] : session.requests)
        effects_->emplace_back(DropContent{.session = session.id, .id = id});
    if (session.is_free) --free_count_;
    if (session.is_free && --network_free_[session.network] == 0)
        network_free_.erase(session.network);
    if (--network_sessions_[session.network] == 0) network_sessions_.erase(session.network);
    alarms_.erase({session.alarm, session.id});
    sessions_.erase(found);
    if (left) pump_lane(*left);  // what was not sent is the others'
}

// ---------------------------------------------------------------- time

void Core::on(Alarm& /*event*/) {
    std::vector<SessionId> due;
    for (const auto& [when, id] : alarms_) {
        if (when > now_) break;
        due.push_back(id);
    }
    for (const SessionId id : due) {
        Session& session = sessions_.at(id);
        ring(session);
        arm(session);
    }
}

void Core::ring(Session& session) {
    const SessionLimits& limits = options_.limits;
    if (session.phase == Phase::Ending) {
        // Told once; the transport has its own deadline for closing.
        session.active_at = now_;
        effects_->emplace_back(Reset{.session = session.id});
        return;
    }
    if (session.is_full && session.full_since + limits.drain_deadline <= now_)
        return reset(session);
    if (session.phase != Phase::Ready) {
        if (session.active_at + limits.handshake_deadline <= now_)
            end(session, Errc::DeadlineExceeded, "the client did not introduce itself in time");
        return;
    }
    if (session.active_at + limits.idle_deadline <= now_)
        return end(session,
                   Errc::DeadlineExceeded,
                   "nothing was asked for, or acknowledged, for too long: connect again");
    if (session.retry_at && *session.retry_at <= now_) {
        session.retry_at.reset();
        if (session.paused == wire::PauseReason::ReserveUsedUp && !session.is_standing_read) {
            session.is_standing_read = true;
            effects_->emplace_back(
                ReadStanding{.session = session.id, .lane = session.lane->first});
        }
        pump(session);
    }
}

// Before the welcome active_at is when the session began: what is said meanwhile buys no time.
void Core::arm(Session& session) {
    const SessionLimits& limits = options_.limits;
    const bool is_begun = session.phase == Phase::Ready || session.phase == Phase::Ending;
    Instant next =
        session.active_at + (is_begun ? limits.idle_deadline : limits.handshake_deadline);
    if (session.is_full) next = std::min(next, session.full_since + limits.drain_deadline);
    if (session.retry_at && session.phase == Phase::Ready) next = std::min(next, *session.retry_at);
    if (next == session.alarm) return;
    alarms_.erase({session.alarm, session.id});
    session.alarm = next;
    alarms_.emplace(session.alarm, session.id);
}

// ---------------------------------------------------------------- small things

void Core::send(const Session& session, wire::NodeMessage message) {
    effects_->emplace_back(Send{.session = session.id, .message = std::move(message)});
}

// Sessions that are ending hear nothing any more.
Core::Session* Core::find(SessionId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second.phase == Phase::Ending) return nullptr;
    return &found->second;
}

wire::Standing Core::standing_of(const LaneId& lane,
                                 const interfaces::LaneStanding& standing) const {
    return {.price = standing.lane.price,
            .settled = standing.lane.settled,
            .acknowledged = standing.acknowledged,
            .latest = standing.latest,
            .units_max = standing.units_max,
            .window = lanes_.window(lanes_.account(lane))};
}

types::LaneKey Core::lane_key(const wire::LaneClaim& claim) const {
    return {.payer = claim.payer, .node = options_.node, .index = claim.lane};
}

}  // namespace draco::handshake
