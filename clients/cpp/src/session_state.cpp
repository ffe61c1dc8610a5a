#include "session_state.hpp"

#include <algorithm>
#include <string>

namespace draco::client {

namespace wire = types::session;

namespace {

// Between two that are progress: an acknowledgement or a pause for each block that was under way.
constexpr std::size_t kIdleMessagesMax = 256;

}  // namespace

Session::State::~State() {
    static_cast<void>(acknowledge());
}

// ---------------------------------------------------------------- introduction

Result<> Session::State::introduce(const types::NodeKey& node) {
    node_ = node;
    wire::Hello hello{.version = wire::kVersion, .chain = options_.chain, .lane = {}};
    if (credentials_ != nullptr) hello.lane = credentials_->lane;
    DRACO_TRY_VOID(send(hello));
    DRACO_TRY(first, read());
    const auto* const challenge = std::get_if<wire::Challenge>(&first);
    if (challenge == nullptr || challenge->version != wire::kVersion)
        return fail(Errc::Corrupt, "the node does not begin with a challenge");
    if (challenge->chain != options_.chain)
        return fail(Errc::InvalidArgument, "the node is of another chain");
    if (challenge->node != node_)
        return fail(Errc::Unauthenticated, "the node names another key than its certificate");
    if (credentials_ != nullptr)
        DRACO_TRY_VOID(send(
            wire::Proof{.signature = wire::prove(
                            options_.chain,
                            {.lane = credentials_->lane, .node = node_, .nonce = challenge->nonce},
                            credentials_->key)}));
    DRACO_TRY(second, read());
    const auto* const welcome = std::get_if<wire::Welcome>(&second);
    if (welcome == nullptr || welcome->lane.has_value() != (credentials_ != nullptr))
        return fail(Errc::Corrupt, "the node does not go on with a welcome");
    standing_ = welcome->lane;
    if (standing_) return check_standing(*standing_);
    return {};
}

// What the node says was acknowledged counts only as far as this key has signed it.
Result<> Session::State::check_standing(const wire::Standing& standing) {
    std::uint64_t known = credentials_->ledger->received();
    if (standing.latest) {
        const types::DeliveryAck& word = standing.latest->ack;
        const wire::LaneClaim& lane = credentials_->lane;
        if (word.payer != lane.payer || word.node != node_ || word.lane != lane.lane ||
            word.instance != lane.instance ||
            !types::verify(options_.chain, credentials_->key.public_key(), *standing.latest))
            return fail(Errc::Corrupt, "the node shows an acknowledgement that was never signed");
        known = std::max(known, word.cumulative);
    }
    if (standing.acknowledged > known)
        return fail(Errc::Corrupt,
                    "the node says that " + std::to_string(standing.acknowledged) +
                        " bytes are acknowledged on this lane, where " + std::to_string(known) +
                        " are known here: if the lane's ledger was lost, begin a new one with what "
                        "the chain has settled (draco lane show)");
    DRACO_TRY_VOID(credentials_->ledger->record(known));
    received_ = known;
    acknowledged_ = taken_ = standing.acknowledged;
    window_ = standing.window;
    return acknowledge();
}

// ---------------------------------------------------------------- messages

std::uint64_t Session::State::next_id() {
    progressed();
    return ++id_last_;
}

// Only the time that is spent waiting counts: what the sink needs is not the node's.
Result<wire::NodeMessage> Session::State::read() {
    const auto began = std::chrono::steady_clock::now();
    auto message = connection_.next(patience_.left());
    patience_.waited(std::chrono::steady_clock::now() - began);
    if (!message && message.error().code == Errc::DeadlineExceeded &&
        patience_.unverified_bytes() > 0)
        return fail(Errc::DeadlineExceeded,
                    "the node sends the content's tree, without which nothing can be verified, "
                    "more slowly than " +
                        std::to_string(patience_.bytes_per_s_min() >> 10U) + " KiB/s");
    if (!message) return std::unexpected(std::move(message).error());
    if (++idle_messages_ > kIdleMessagesMax)
        return fail(Errc::Corrupt, "the node talks on and on, and delivers nothing");
    message_ = *std::move(message);
    auto decoded = wire::decode_node_message(message_);
    if (!decoded) return fail(Errc::Corrupt, "the node sent " + decoded.error().context);
    if (const auto* const end = std::get_if<wire::End>(&*decoded); end != nullptr && end->id == 0) {
        const auto why = wire::outcome_of(end->code, end->text);
        if (!why) return std::unexpected(why.error());
        return fail(Errc::Unavailable, "the node ended the session");
    }
    return decoded;
}

Result<wire::NodeMessage> Session::State::next() {
    for (;;) {
        DRACO_TRY(message, read());
        DRACO_TRY(is_mine, take(message));
        if (!is_mine) return std::move(message);
    }
}

Result<bool> Session::State::take(const wire::NodeMessage& message) {
    const bool is_of_lane = std::holds_alternative<wire::AckTaken>(message) ||
                            std::holds_alternative<wire::AckRefused>(message) ||
                            std::holds_alternative<wire::Paused>(message);
    if (!is_of_lane) return false;
    if (credentials_ == nullptr)
        return fail(Errc::Corrupt, "the node spoke of a lane in a session without one");
    if (const auto* const taken = std::get_if<wire::AckTaken>(&message)) {
        if (taken->cumulative > acknowledged_)
            return fail(Errc::Corrupt, "the node took an acknowledgement that was never sent");
        if (taken->cumulative > taken_) {
            taken_ = taken->cumulative;
            progressed();
        }
        window_ = taken->window;
        is_paused_ = false;
        return true;
    }
    if (const auto* const refused = std::get_if<wire::AckRefused>(&message)) {
        const auto why = wire::outcome_of(refused->code, refused->text);
        return fail(why ? Errc::Corrupt : why.error().code,
                    "the node refused an acknowledgement: " + *refused->text);
    }
    DRACO_TRY_VOID(take_pause(std::get<wire::Paused>(message)));
    return true;
}

Result<> Session::State::take_pause(const wire::Paused& paused) {
    switch (paused.reason) {
        case wire::PauseReason::Unacknowledged:
            break;
        case wire::PauseReason::ReserveUsedUp:
            static_cast<void>(acknowledge());
            return fail(Errc::Exhausted, *paused.text);
        case wire::PauseReason::LaneClosing:
            static_cast<void>(acknowledge());
            return fail(Errc::Unavailable, *paused.text);
    }
    is_paused_ = true;
    return acknowledge();
}

// ---------------------------------------------------------------- acknowledgements

void Session::State::unverified() {
    patience_.unverified(message_.size());
    idle_messages_ = 0;
}

void Session::State::received(std::uint64_t bytes) {
    progressed();
    if (credentials_ != nullptr) received_ += bytes;
}

Result<> Session::State::acknowledge_if_due() {
    const std::uint64_t unacknowledged = received_ - acknowledged_;
    const std::uint64_t due = std::min(options_.ack_bytes, window_ / 2);
    const auto waited = std::chrono::steady_clock::now() - acknowledged_at_;
    if (is_paused_ || unacknowledged >= due || waited >= options_.ack_interval)
        return acknowledge();
    return {};
}

// The count is durable before it is signed.
Result<> Session::State::acknowledge() {
    if (received_ == acknowledged_) return {};
    DRACO_TRY_VOID(credentials_->ledger->record(received_));
    const wire::LaneClaim& lane = credentials_->lane;
    const types::DeliveryAck word{.payer = lane.payer,
                                  .node = node_,
                                  .lane = lane.lane,
                                  .instance = lane.instance,
                                  .cumulative = received_};
    DRACO_TRY_VOID(send(wire::Ack{.ack = types::sign(options_.chain, word, credentials_->key)}));
    acknowledged_ = received_;
    acknowledged_at_ = std::chrono::steady_clock::now();
    return {};
}

Result<> Session::State::finish(std::uint64_t id,
                                const std::function<Result<>(const wire::Block&)>& take_block) {
    DRACO_TRY_VOID(send(wire::Cancel{.id = id}));
    for (;;) {
        DRACO_TRY(message, next());
        if (const auto* const block = std::get_if<wire::Block>(&message);
            block != nullptr && block->id == id)
            DRACO_TRY_VOID(take_block(*block));
        if (const auto* const end = std::get_if<wire::End>(&message);
            end != nullptr && end->id == id)
            return settle();
    }
}

Result<> Session::State::settle() {
    progressed();
    DRACO_TRY_VOID(acknowledge());
    while (taken_ < acknowledged_) {
        DRACO_TRY(message, read());
        DRACO_TRY(is_mine, take(message));
        if (!is_mine) return fail(Errc::Corrupt, "the node sent what was not asked for");
    }
    return {};
}

}  // namespace draco::client
