#pragma once
// The core among clients that do as they like: content that has no bytes but a length, lanes judged
// by real signatures, and everything that is waited for answered in an order drawn from a seed.

#include "../src/core.hpp"
#include "memory_acknowledgements.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace draco::handshake {

namespace wire = types::session;

inline constexpr types::ChainId kChain{5};

inline crypto::Ed25519Seed seed_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return crypto::Ed25519Seed(seed);
}

// A content is named by how many bytes it has.
inline types::ContentHash content_of(std::uint64_t bytes) {
    types::ContentHash hash;
    store_le(hash.bytes.data(), bytes);
    return hash;
}

inline types::ContentInfo info_of(const types::ContentHash& hash) {
    const auto bytes = load_le<std::uint64_t>(hash.bytes.data());
    return {.hash = hash,
            .kind = types::ContentKind::File,
            .bytes = bytes,
            .leaves = blake3_tree::block_count(bytes)};
}

struct WorldLane {
    explicit WorldLane(std::uint8_t number) : key(seed_number(number)) {
        claim.payer.bytes[0] = number;
        claim.instance = types::LaneInstance(number);
    }

    wire::LaneClaim claim;
    types::SessionSecretKey key;
    // Told by naive counting of what leaves the core.
    std::uint64_t sent = 0;
    std::uint64_t units_max = 0;
};

class World {
public:
    explicit World(const SessionLimits& limits = {}, std::uint64_t seed = 1)
        : random(seed), core({.chain = kChain, .node = node, .limits = limits}) {}

    // ---- clients

    SessionId connect(std::uint64_t network = 1) {
        const SessionId id(++session_last_);
        wire::Nonce nonce;
        nonce.bytes[0] = static_cast<std::uint8_t>(id.value());
        nonce.bytes[1] = static_cast<std::uint8_t>(id.value() >> 8U);
        step(Accepted{.session = id, .network = network, .nonce = nonce});
        return id;
    }

    void say(SessionId id, const wire::ClientMessage& message) {
        const Bytes bytes = bcs::encode(message);
        step(Received{.session = id, .message = bytes});
    }

    // Of what was sent, `unsent_bytes` never left the node.
    void hang_up(SessionId id, std::uint64_t unsent_bytes = 0) {
        closing.erase(id);
        if (const auto lane = lane_of.find(id); lane != lane_of.end())
            lanes.at(lane->second).sent -= unsent_bytes;
        step(Closed{.session = id, .unsent_bytes = unsent_bytes});
    }

    WorldLane& open_lane(std::uint8_t number, std::uint64_t units_max) {
        WorldLane& lane = lanes.emplace(number, WorldLane(number)).first->second;
        lane.units_max = units_max;
        rules.open_lane(lane_key(lane),
                        {.instance = lane.claim.instance, .session_key = lane.key.public_key()},
                        units_max);
        return lane;
    }

    types::LaneKey lane_key(const WorldLane& lane) const {
        return {.payer = lane.claim.payer, .node = node, .index = lane.claim.lane};
    }

    // A session that is welcomed on the lane.
    SessionId enter(const WorldLane& lane, std::uint64_t network = 1) {
        const SessionId id = connect(network);
        say(id, wire::Hello{.chain = kChain, .lane = lane.claim});
        const auto nonce = last<wire::Challenge>(id)->nonce;
        say(id,
            wire::Proof{.signature = wire::prove(
                            kChain, {.lane = lane.claim, .node = node, .nonce = nonce}, lane.key)});
        lane_of[id] = lane.claim.payer.bytes[0];
        settle();
        return id;
    }

    SessionId enter_free(std::uint64_t network = 1) {
        const SessionId id = connect(network);
        say(id, wire::Hello{.chain = kChain, .lane = {}});
        return id;
    }

    wire::Ack ack(const WorldLane& lane, std::uint64_t cumulative) const {
        return {.ack = types::sign(kChain,
                                   {.payer = lane.claim.payer,
                                    .node = node,
                                    .lane = lane.claim.lane,
                                    .instance = lane.claim.instance,
                                    .cumulative = cumulative},
                                   lane.key)};
    }

    std::uint64_t acknowledged(const WorldLane& lane) const {
        return rules.standing(lane_key(lane))->acknowledged;
    }

    // ---- what is waited for

    // Answers one of the things that are waited for. False if there is none.
    bool answer_one() {
        if (waiting.empty()) return false;
        const std::size_t index = random() % waiting.size();
        std::swap(waiting[index], waiting.back());
        Effect effect = std::move(waiting.back());
        waiting.pop_back();
        std::visit([this](auto& asked) { answer(asked); }, effect);
        return true;
    }

    void settle() {
        while (answer_one()) {
        }
    }

    void pass(Duration time) {
        const Instant end = now + time;
        while (core.next_alarm() && *core.next_alarm() <= end) {
            now = std::max(now, *core.next_alarm());
            step(Alarm{});
            settle();
        }
        now = end;
    }

    void step(Event event) {
        Effects effects;
        core.step(std::move(event), now, effects);
        for (Effect& effect : effects) std::visit([this](auto& e) { take(e); }, effect);
        check();
    }

    // ---- what was said

    template <class Message>
    const Message* last(SessionId id) const {
        const auto found = said.find(id);
        if (found == said.end()) return nullptr;
        for (auto at = found->second.rbegin(); at != found->second.rend(); ++at)
            if (const auto* const message = std::get_if<Message>(&*at)) return message;
        return nullptr;
    }

    // Why the session was ended by the node.
    std::optional<std::string> ended(SessionId id) const {
        const auto* const end = last<wire::End>(id);
        if (end == nullptr || end->id != 0) return std::nullopt;
        return *end->text;
    }

    types::NodeKey node = types::NodeSecretKey(seed_number(77)).public_key();
    std::mt19937_64 random;
    AckRules rules{kChain};
    Core core;
    Instant now{std::chrono::hours(1)};
    std::map<std::uint8_t, WorldLane> lanes;
    std::map<SessionId, std::uint8_t> lane_of;
    std::map<SessionId, std::vector<wire::NodeMessage>> said;
    std::map<SessionId, std::uint64_t> sent;  // bytes of blocks
    std::map<SessionId, std::vector<std::uint64_t>> blocks;
    std::set<SessionId> closing;
    std::vector<Effect> waiting;
    std::size_t contents = 0;
    // What the naive count of lanes may exceed the window by.
    std::uint64_t forgiven_max = 0;

private:
    // Beside the core: bytes that were sent, and the greatest word that was judged.
    void check() {
        for (const auto& [number, lane] : lanes) {
            const std::uint64_t known = acknowledged(lane);
            const LaneLimits limits;
            const std::uint64_t window =
                std::min(limits.window_bytes_min + known, limits.window_bytes_max);
            EXPECT_LE(lane.sent, known + window + forgiven_max);
            if (forgiven_max == 0) EXPECT_LE(lane.sent, std::max(lane.units_max, known));
        }
    }

    void take(Send& e) {
        said[e.session].push_back(std::move(e.message));
        EXPECT_FALSE(closing.contains(e.session)) << "nothing follows an end";
    }

    void take(SendBlock& e) {
        EXPECT_FALSE(closing.contains(e.session));
        sent[e.session] += e.bytes.size();
        blocks[e.session].push_back(e.index);
        if (const auto lane = lane_of.find(e.session); lane != lane_of.end())
            lanes.at(lane->second).sent += e.bytes.size();
    }

    void take(Close& e) { closing.insert(e.session); }

    void take(Reset& e) { closing.insert(e.session); }

    void take(DropContent& /*e*/) {}

    template <class Asked>
    void take(Asked& e) {
        waiting.emplace_back(std::move(e));
    }

    void answer(ReadStanding& e) {
        step(StandingRead{.session = e.session, .standing = rules.standing(e.lane)});
    }

    void answer(JudgeAck& e) {
        auto standing = rules.acknowledge(e.ack);
        step(AckJudged{.session = e.session,
                       .cumulative = e.ack.ack.cumulative,
                       .standing = std::move(standing)});
    }

    void answer(OpenContent& e) {
        contents_[{e.session, e.id}] = e.hash;
        step(ContentOpened{.session = e.session, .id = e.id, .info = info_of(e.hash)});
    }

    void answer(ReadTree& e) {
        const std::uint64_t nodes = 2 * info_of(contents_.at({e.session, e.id})).leaves - 1;
        const auto count = std::min<std::uint64_t>(wire::kTreePieceNodesMax, nodes - e.first);
        step(TreeRead{
            .session = e.session, .id = e.id, .nodes = std::vector<blake3_tree::Hash>(count)});
    }

    void answer(ReadBlock& e) {
        const auto info = info_of(contents_.at({e.session, e.id}));
        EXPECT_LT(e.index, info.leaves);
        step(BlockRead{.session = e.session,
                       .id = e.id,
                       .index = e.index,
                       .bytes = Bytes(block_bytes(info, e.index))});
    }

    template <class Other>
    void answer(Other& /*e*/) {
        ADD_FAILURE() << "nobody asks for this here";
    }

    std::uint64_t session_last_ = 0;
    std::map<std::pair<SessionId, std::uint64_t>, types::ContentHash> contents_;
};

}  // namespace draco::handshake
