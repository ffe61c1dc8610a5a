#pragma once
// Lanes and settlements as plainly as can be: what the chain does of core/application, for the
// model.

#include "pod_fixture.hpp"

#include <map>
#include <optional>

namespace draco::pod::testing {

struct NaiveLane {
    std::uint64_t instance = 0;
    std::uint64_t session_id = 0;
    std::uint64_t reserve = 0;
    std::uint64_t settled = 0;
    std::optional<std::uint64_t> closes{};
};

struct NaiveChain {
    static constexpr std::uint64_t kEpochMs = 60'000;
    static constexpr std::uint64_t kChallengeMs = 30'000;
    static constexpr std::uint32_t kSettlementsMax = 16;

    std::uint64_t time = 1'000'000;
    std::uint64_t epoch = 1;
    std::uint64_t epoch_started = 1'000'000;
    std::uint32_t used = 0;
    std::map<types::LaneKey, NaiveLane> lanes;
    std::map<types::Address, std::uint64_t> nonces;
    std::map<std::pair<types::LaneKey, std::uint64_t>, std::uint64_t> settled_of_ended;

    // 7 for every 1000, rounded down.
    static std::uint64_t price(std::uint64_t units) { return units * 7 / 1'000; }

    void open(const types::LaneKey& key, std::uint64_t reserve) {
        const std::uint64_t nonce = ++nonces[key.payer];
        lanes.try_emplace(key, NaiveLane{nonce, nonce % 5, reserve, 0, {}});
    }

    void close(NaiveLane& lane) const {
        if (!lane.closes) lane.closes = time + kChallengeMs;
    }

    // A block without transactions.
    void block(std::uint64_t later_ms) {
        time += later_ms;
        for (auto at = lanes.begin(); at != lanes.end();) {
            const bool ends = at->second.closes && *at->second.closes <= time;
            if (ends) settled_of_ended[{at->first, at->second.instance}] = at->second.settled;
            at = ends ? lanes.erase(at) : std::next(at);
        }
        if (time < epoch_started + kEpochMs) return;
        ++epoch;
        epoch_started = time;
        used = 0;
    }

    // nullopt: no room in this epoch.
    std::optional<Judgement> settle(const Settlement& settlement) {
        if (used >= kSettlementsMax) return std::nullopt;
        ++used;
        Judgement judgement;
        for (const auto& one : settlement.acks) judgement.outcomes.push_back(judge(one));
        return judgement;
    }

    types::AckOutcome judge(const types::SignedDeliveryAck& one) {
        using enum types::AckOutcome;
        const auto at = lanes.find({one.ack.payer, one.ack.node, one.ack.lane});
        if (at == lanes.end()) return NoLane;
        NaiveLane& lane = at->second;
        if (one.ack.instance.value() != lane.instance) return WrongInstance;
        if (one.ack.cumulative <= lane.settled) return NotIncreasing;
        if (!types::verify(kChain, session(lane.session_id).public_key(), one))
            return ForgedSignature;
        const std::uint64_t due = price(one.ack.cumulative) - price(lane.settled);
        if (due > lane.reserve) return OverReserve;
        lane.reserve -= due;
        lane.settled = one.ack.cumulative;
        return Settled;
    }

    LaneOnChain look_up(const types::LaneKey& key) const {
        LaneOnChain found{.lane = {}, .time = {time}, .payer_nonce = {}};
        const auto nonce = nonces.find(key.payer);
        if (nonce != nonces.end()) found.payer_nonce = types::Nonce(nonce->second);
        const auto at = lanes.find(key);
        if (at == lanes.end()) return found;
        types::Lane lane =
            open_lane(at->second.instance, at->second.reserve, session(at->second.session_id));
        lane.settled = at->second.settled;
        if (at->second.closes) lane.closes = UnixTime{*at->second.closes};
        found.lane = lane;
        return found;
    }

    ChainClock clock() const {
        return {.time = {time},
                .epoch = types::Epoch(epoch),
                .epoch_started = {epoch_started},
                .epoch_ms = kEpochMs,
                .settlements_max = kSettlementsMax,
                .settlements_used = used};
    }
};

}  // namespace draco::pod::testing
