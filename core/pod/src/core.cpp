#include "draco/pod/core.hpp"

#include "draco/pod/lane_units.hpp"

#include "lane_key.hpp"

#include <algorithm>
#include <utility>

namespace draco::pod {

Core::Core(types::ChainId chain,
           const types::NodeKey& node,
           const JournalContent& journal,
           CoreOptions options)
    : chain_(chain),
      node_(node),
      options_(options),
      pace_(options.pace),
      peers_(journal.peers),
      backoff_(options.retry_first) {
    for (const auto& [key, word] : journal.acks)
        lanes_.emplace(key, Kept{.newest = word, .durable = word, .lane = {}, .listed_closes = {}});
}

void Core::step(Event event, Instant now, Effects& effects) {
    std::visit([&](auto& alternative) { on(std::move(alternative), now, effects); }, event);
    if (failure_) return;
    save_peers(now, effects);
    settle_if_due(now, effects);
}

void Core::on(const AckReceived& event, Instant /*now*/, Effects& effects) {
    const auto refuse = [&](Error error) {
        ++counts_.refused;
        effects.emplace_back(Reply{event.request, std::unexpected(std::move(error))});
    };
    if (failure_) return refuse(*failure_);
    if (auto judged = judge(event.word, event.chain); !judged)
        return refuse(std::move(judged).error());
    const types::LaneKey key = lane_key(event.word.ack);
    const auto at = lanes_.find(key);
    if (event.word.ack.cumulative > acknowledged(event.word.ack, *event.chain.lane)) {
        if (at == lanes_.end() && lanes_.size() >= options_.lanes_max)
            return refuse({Errc::Unavailable,
                           "this node keeps acknowledgements of " +
                               std::to_string(options_.lanes_max) +
                               " lanes that are to be settled; send it again later"});
        return keep(event, effects);
    }
    // The same word again: it may not be durable yet.
    const bool waits = at != lanes_.end() && at->second.newest.ack == event.word.ack &&
                       (!at->second.durable || at->second.durable->ack != event.word.ack);
    if (waits)
        waiting_.push_back({ticket_last_, event.request, event.word, *event.chain.lane});
    else
        effects.emplace_back(Reply{event.request, standing(key, *event.chain.lane)});
}

// The units that this node knows to be acknowledged on the lane; what is not durable yet included.
std::uint64_t Core::acknowledged(const types::DeliveryAck& ack, const types::Lane& lane) const {
    const auto at = lanes_.find(lane_key(ack));
    if (at == lanes_.end() || at->second.newest.ack.instance != ack.instance) return lane.settled;
    return std::max(lane.settled, at->second.newest.ack.cumulative);
}

// What costs little is judged first.
Result<> Core::judge(const types::SignedDeliveryAck& word, const LaneOnChain& chain) const {
    const types::DeliveryAck& ack = word.ack;
    const auto units = [](std::uint64_t count) { return std::to_string(count) + " units"; };
    if (ack.node != node_)
        return fail(Errc::NotFound, "the acknowledgement is for another node than this one");
    if (!chain.lane)
        return fail(Errc::NotFound,
                    describe(ack) + " is not open: open it first, or wait until it is executed");
    const types::Lane& lane = *chain.lane;
    if (lane.closes && *lane.closes <= chain.time)
        return fail(Errc::NotFound, describe(ack) + " has ended");
    const auto known = lanes_.find(lane_key(ack));
    const bool overtaken =
        known != lanes_.end() && known->second.newest.ack.instance > ack.instance;
    if (ack.instance != lane.instance || overtaken)
        return fail(Errc::NotFound,
                    describe(ack) + " is open as instance " +
                        std::to_string(lane.instance.value()) + ", not as " +
                        std::to_string(ack.instance.value()) + ": sign for the one that is open");
    if (const std::uint64_t before = acknowledged(ack, lane); ack.cumulative < before)
        return fail(Errc::InvalidArgument,
                    "the acknowledgement says " + units(ack.cumulative) + " where " +
                        units(before) + " were acknowledged before: counts never decrease");
    if (const std::uint64_t most = units_max(lane); ack.cumulative > most)
        return fail(Errc::Exhausted,
                    "the acknowledgement says " + units(ack.cumulative) +
                        " where the reserve of the lane pays for " + units(most) +
                        ": top it up and send it again");
    if (!types::verify(chain_, lane.session_key, word))
        return fail(Errc::Unauthenticated,
                    "the acknowledgement is not signed by the session key of " + describe(ack) +
                        " for chain " + std::to_string(chain_.value()));
    return {};
}

void Core::keep(const AckReceived& event, Effects& effects) {
    const types::LaneKey key = lane_key(event.word.ack);
    const types::LaneInstance instance = event.word.ack.instance;
    const auto before = lanes_.find(key);
    if (before != lanes_.end() && before->second.newest.ack.instance != instance)
        drop(before, types::AckOutcome::WrongInstance, effects);
    Kept& kept = lanes_[key];
    saw_settled(kept, instance, event.chain.lane->settled);
    kept.newest = event.word;
    kept.lane = event.chain.lane;
    list_closing(key, kept);
    persist(event.word, effects);
    waiting_.push_back({ticket_last_, event.request, event.word, *event.chain.lane});
}

void Core::persist(const JournalRecord& record, Effects& effects) {
    effects.emplace_back(Persist{++ticket_last_, record});
}

void Core::on(const StandingAsked& event, Instant /*now*/, Effects& effects) {
    const auto reply = [&](Result<interfaces::LaneStanding> result) {
        effects.emplace_back(Reply{event.request, std::move(result)});
    };
    if (!event.chain.lane || event.lane.node != node_)
        return reply(fail(Errc::NotFound,
                          "the chain has no lane " + std::to_string(event.lane.index.value()) +
                              " of this payer to this node"));
    if (event.chain.lane->closes)
        return reply(fail(Errc::Unavailable,
                          "the payer has closed lane " + std::to_string(event.lane.index.value()) +
                              ": nothing more is delivered on it"));
    reply(standing(event.lane, *event.chain.lane));
}

interfaces::LaneStanding Core::standing(const types::LaneKey& key, const types::Lane& lane) const {
    interfaces::LaneStanding made{
        .lane = lane, .acknowledged = lane.settled, .latest = {}, .units_max = units_max(lane)};
    const auto at = lanes_.find(key);
    if (at == lanes_.end() || !at->second.durable) return made;
    const types::SignedDeliveryAck& word = *at->second.durable;
    if (word.ack.instance != lane.instance || word.ack.cumulative <= lane.settled) return made;
    made.acknowledged = word.ack.cumulative;
    made.latest = word;
    return made;
}

void Core::on(const Persisted& event, Instant /*now*/, Effects& effects) {
    if (!event.result) {
        failure_ =
            Error{Errc::Io, "acknowledgements cannot be kept: " + event.result.error().context};
        for (const Waiting& waiting : std::exchange(waiting_, {})) {
            ++counts_.refused;
            effects.emplace_back(Reply{waiting.request, std::unexpected(*failure_)});
        }
        return;
    }
    while (!waiting_.empty() && waiting_.front().ticket <= event.up_to) {
        const Waiting waiting = waiting_.front();
        waiting_.pop_front();
        became_durable(waiting);
        auto result = standing(lane_key(waiting.word.ack), waiting.lane);
        // The chain may have counted it meanwhile, on behalf of an earlier run.
        result.acknowledged = std::max(result.acknowledged, waiting.word.ack.cumulative);
        effects.emplace_back(Reply{waiting.request, result});
    }
    if (flight_ && !flight_->sent && flight_->ticket <= event.up_to) send_flight(effects);
}

void Core::became_durable(const Waiting& waiting) {
    ++counts_.taken;
    const types::DeliveryAck& ack = waiting.word.ack;
    const auto at = lanes_.find(lane_key(ack));
    if (at == lanes_.end()) return;
    Kept& kept = at->second;
    if (kept.newest.ack.instance != ack.instance) return;  // its lane ended meanwhile
    if (kept.durable && kept.durable->ack.cumulative >= ack.cumulative) return;
    kept.durable = waiting.word;
    list_closing(at->first, kept);
}

std::vector<types::SignedDeliveryAck> Core::kept(const std::optional<types::LaneKey>& after,
                                                 std::size_t count_max) const {
    std::vector<types::SignedDeliveryAck> found;
    auto at = after ? lanes_.upper_bound(*after) : lanes_.begin();
    for (; at != lanes_.end() && found.size() < count_max; ++at)
        if (at->second.durable) found.push_back(*at->second.durable);
    return found;
}

interfaces::DeliveryStatus Core::status() const {
    interfaces::DeliveryStatus status = counts_;
    for (const auto& [key, kept] : lanes_) {
        if (!kept.durable) continue;
        ++status.lanes;
        const types::DeliveryAck& ack = kept.durable->ack;
        if (kept.lane && kept.lane->instance == ack.instance && ack.cumulative > kept.lane->settled)
            status.unsettled_units += ack.cumulative - kept.lane->settled;
    }
    return status;
}

std::vector<JournalRecord> Core::live() const {
    std::vector<JournalRecord> records;
    records.reserve(live_count());
    for (const auto& [key, kept] : lanes_) records.emplace_back(kept.newest);
    for (const auto& [peer, bytes] : peers_) records.emplace_back(types::PeerShare{peer, bytes});
    return records;
}

}  // namespace draco::pod
