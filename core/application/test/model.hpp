#pragma once
// The rules of README.md on plain numbers: persons, machines, lanes and keys are small integers,
// nothing is encoded, and no number is near the end of its type.

#include "chain_fixture.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <variant>
#include <vector>

namespace draco::application::testing {

using Number = __int128;  // signed and wide: the model never has to be careful

struct ModelNode {
    std::size_t owner = 0;
    Number stake = 0;
    Number unbonding = 0;
    std::uint64_t release = 0;
    Participation participation = Participation::None;
    std::uint64_t nonce = 0;
    std::uint64_t used = 0;  // free transactions of this epoch
    std::uint64_t settlements = 0;
};

struct ModelLane {
    std::uint64_t instance = 0;
    std::size_t session = 0;
    Number reserve = 0;
    Number settled = 0;
    std::optional<std::uint64_t> closes_ms{};
};

struct ModelRevenue {
    Number usd = 0;
    Number bytes = 0;
    std::map<std::size_t, Number> peers{};
};

using ModelLaneKey = std::tuple<std::size_t, std::size_t, std::uint16_t>;  // payer, machine, index

struct Model {
    struct Purse {
        Number flk = Chain::kFunds;
        Number usd = Chain::kFunds;
        std::uint64_t nonce = 0;
    };

    std::map<std::size_t, Purse> purses{};
    std::map<std::size_t, ModelNode> nodes{};
    std::map<ModelLaneKey, ModelLane> lanes{};
    std::map<std::size_t, ModelRevenue> revenues{};
    std::set<std::size_t> committee{};
    std::set<std::size_t> signals{};
    std::uint64_t epoch = 0;
    std::uint64_t started_ms = 1'000'000;
    Number burned = 0;
    Number burned_at_start = 0;
    Number emitted = 0;
    Number protocol = 0;
};

struct PlannedAck {
    std::size_t payer = 0;
    std::size_t machine = 0;
    std::uint16_t index = 0;
    std::uint64_t instance = 0;
    std::uint64_t cumulative = 0;
    std::size_t session = 0;  // that signs
    bool this_chain = true;
};

struct Planned {
    enum class Kind {
        Flk,
        Usd,
        Stake,
        Unstake,
        Withdraw,
        OpenLane,
        TopUpLane,
        CloseLane,
        OptIn,
        OptOut,
        EndEpoch,
        Settle,
    };
    static constexpr std::size_t kAccountKinds = 8;
    static constexpr std::size_t kKinds = 12;

    std::size_t sender = 0;
    std::size_t target = 0;
    Number fee_max = 0;
    Number amount = 0;
    std::uint64_t nonce = 0;
    Kind kind = Kind::Flk;
    std::uint32_t service = 0;
    std::uint16_t lane = 0;
    bool by_machine = false;
    Bytes bytes{};
    std::vector<PlannedAck> acks{};
    std::vector<std::pair<std::size_t, std::uint64_t>> peers{};
};

struct Outcome {
    std::variant<Revert, Refusal> what = Revert::None;
    std::vector<AckReceipt> acks{};

    bool operator==(const Outcome&) const = default;
};

class ModelRules {
public:
    ModelRules(Model& model, std::uint64_t now_ms) : m_(model), now_ms_(now_ms) {}

    Outcome run(const Planned& p) {
        if (p.by_machine != (p.kind >= Planned::Kind::OptIn)) return {Refusal::WrongMethod};
        return p.by_machine ? run_machine(p) : Outcome{run_person(p)};
    }

    // The lanes whose time has come by the end of the block.
    void end_lanes() {
        std::erase_if(m_.lanes, [&](const auto& entry) {
            const auto& [key, lane] = entry;
            if (!lane.closes_ms || *lane.closes_ms > now_ms_) return false;
            m_.purses[std::get<0>(key)].usd += lane.reserve;
            return true;
        });
    }

    // 70 % to owners, of that a fifth to peers; 10 % to the builder, person `builder`; the rest to
    // the protocol.
    void pay_out(std::size_t builder) {
        Number all = 0;
        for (const auto& [machine, revenue] : m_.revenues) all += revenue.usd;
        Number paid = 0;
        const Number emission = std::min(m_.burned - m_.burned_at_start, all / 5 / 2);
        for (const auto& [machine, revenue] : m_.revenues) {
            Number own = revenue.usd * 7 / 10;
            paid += own;
            const Number for_peers = own / 5;
            Number named = 0;
            for (const auto& [peer, bytes] : revenue.peers) named += bytes;
            for (const auto& [peer, bytes] : revenue.peers) {
                const Number share = for_peers * bytes / std::max(named, revenue.bytes);
                owner(peer).usd += share;
                own -= share;
            }
            owner(machine).usd += own;
            if (all == 0) continue;
            owner(machine).flk += emission * revenue.usd / all;
            m_.emitted += emission * revenue.usd / all;
        }
        m_.purses[builder].usd += all / 10;
        m_.protocol += all - paid - all / 10;
        m_.revenues.clear();
        m_.burned_at_start = m_.burned;
    }

private:
    using Result = std::variant<Revert, Refusal>;

    Result run_person(const Planned& p) {
        auto& purse = m_.purses[p.sender];
        const Number fee = 10 + static_cast<Number>(p.bytes.size());
        if (p.nonce != purse.nonce + 1) return Refusal::WrongNonce;
        if (fee > p.fee_max) return Refusal::FeeAboveMax;
        if (fee > purse.flk) return Refusal::FeeNotCovered;
        purse.flk -= fee;
        m_.burned += fee;
        ++purse.nonce;
        if (p.kind >= Planned::Kind::OpenLane) return run_lane(p, purse);
        const bool needs_amount = p.kind != Planned::Kind::Withdraw;
        if (needs_amount && p.amount == 0) return Revert::ZeroAmount;
        const auto known = m_.nodes.find(p.target);
        switch (p.kind) {
            case Planned::Kind::Flk:
                return pay(purse.flk, m_.purses[p.target].flk, p.amount);
            case Planned::Kind::Usd:
                return pay(purse.usd, m_.purses[p.target].usd, p.amount);
            case Planned::Kind::Stake:
                if (known != m_.nodes.end() && known->second.owner != p.sender)
                    return Revert::NotTheOwner;
                if (purse.flk < p.amount) return Revert::InsufficientBalance;
                m_.nodes[p.target].owner = p.sender;
                return pay(purse.flk, m_.nodes[p.target].stake, p.amount);
            default:
                break;
        }
        if (known == m_.nodes.end()) return Revert::UnknownNode;
        ModelNode& node = known->second;
        if (node.owner != p.sender) return Revert::NotTheOwner;
        if (p.kind == Planned::Kind::Unstake) {
            if (node.stake < p.amount) return Revert::InsufficientStake;
            node.release = m_.epoch + 2;
            return pay(node.stake, node.unbonding, p.amount);
        }
        if (node.unbonding == 0) return Revert::NothingToWithdraw;
        if (m_.epoch < node.release) return Revert::StillUnbonding;
        return pay(node.unbonding, purse.flk, node.unbonding);
    }

    Result run_lane(const Planned& p, Model::Purse& purse) {
        const ModelLaneKey key{p.sender, p.target, p.lane};
        const auto open = m_.lanes.find(key);
        if (p.kind == Planned::Kind::OpenLane) {
            if (!m_.nodes.contains(p.target)) return Revert::UnknownNode;
            if (p.service != 0) return Revert::UnknownService;
            if (open != m_.lanes.end()) return Revert::LaneInUse;
            if (p.amount == 0) return Revert::ZeroAmount;
            if (purse.usd < p.amount) return Revert::InsufficientBalance;
            m_.lanes[key] = {.instance = purse.nonce, .session = p.sender};
            return pay(purse.usd, m_.lanes[key].reserve, p.amount);
        }
        if (open == m_.lanes.end()) return Revert::NoLane;
        if (open->second.closes_ms) return Revert::LaneCloses;
        if (p.kind == Planned::Kind::CloseLane) {
            open->second.closes_ms = now_ms_ + Chain::kChallengeMs;
            return Revert::None;
        }
        if (p.amount == 0) return Revert::ZeroAmount;
        return pay(purse.usd, open->second.reserve, p.amount);
    }

    Outcome run_machine(const Planned& p) {
        const auto known = m_.nodes.find(p.sender);
        if (known == m_.nodes.end()) return {Refusal::UnknownNode};
        ModelNode& node = known->second;
        const bool settles = p.kind == Planned::Kind::Settle;
        if (p.nonce != node.nonce + 1) return {Refusal::WrongNonce};
        if (settles ? node.settlements >= 5 : node.used >= 3) return {Refusal::QuotaUsedUp};
        ++(settles ? node.settlements : node.used);
        ++node.nonce;
        if (settles) return settle(p, node);
        return {run_node(p, node)};
    }

    Revert run_node(const Planned& p, ModelNode& node) {
        if (p.kind == Planned::Kind::OptIn) {
            if (node.stake < Chain::kStake) return Revert::InsufficientStake;
            if (node.participation == Participation::Active ||
                node.participation == Participation::OptedIn)
                return Revert::AlreadyTakesPart;
            node.participation = node.participation == Participation::None ? Participation::OptedIn
                                                                           : Participation::Active;
            return Revert::None;
        }
        if (p.kind == Planned::Kind::OptOut) {
            if (node.participation == Participation::None ||
                node.participation == Participation::OptedOut)
                return Revert::TakesNoPart;
            node.participation = node.participation == Participation::Active
                                     ? Participation::OptedOut
                                     : Participation::None;
            return Revert::None;
        }
        if (!m_.committee.contains(p.sender)) return Revert::NotAMember;
        if (now_ms_ < m_.started_ms + Chain::kEpochMs) return Revert::TooEarly;
        m_.signals.insert(p.sender);
        return Revert::None;
    }

    Outcome settle(const Planned& p, const ModelNode& node) {
        if (p.acks.empty() && p.peers.empty()) return {Revert::NothingToSettle};
        if (node.stake + node.unbonding < Chain::kStake) return {Revert::InsufficientStake};
        for (const auto& [peer, bytes] : p.peers) {
            if (bytes == 0) return {Revert::ZeroAmount};
            if (peer == p.sender) return {Revert::SharesWithItself};
            if (!m_.nodes.contains(peer)) return {Revert::UnknownNode};
        }
        auto& revenue = m_.revenues[p.sender];
        for (const auto& [peer, bytes] : p.peers) revenue.peers[peer] += bytes;
        Outcome outcome;
        for (const PlannedAck& ack : p.acks) outcome.acks.push_back(judge(p.sender, ack, revenue));
        return outcome;
    }

    AckReceipt judge(std::size_t machine, const PlannedAck& ack, ModelRevenue& revenue) {
        if (ack.machine != machine) return {AckOutcome::ForeignNode};
        const auto open = m_.lanes.find({ack.payer, ack.machine, ack.index});
        if (open == m_.lanes.end()) return {AckOutcome::NoLane};
        ModelLane& lane = open->second;
        if (ack.instance != lane.instance) return {AckOutcome::WrongInstance};
        const Number cumulative = ack.cumulative;
        if (cumulative <= lane.settled) return {AckOutcome::NotIncreasing};
        if (!ack.this_chain || ack.session != lane.session) return {AckOutcome::ForgedSignature};
        const Number due = cumulative * 7 / 1'000 - lane.settled * 7 / 1'000;
        if (due > lane.reserve) return {AckOutcome::OverReserve};
        lane.reserve -= due;
        revenue.usd += due;
        revenue.bytes += cumulative - lane.settled;
        lane.settled = cumulative;
        return {AckOutcome::Settled, {static_cast<unsigned __int128>(due)}};
    }

    Model::Purse& owner(std::size_t machine) { return m_.purses[m_.nodes.at(machine).owner]; }

    static Result pay(Number& from, Number& to, Number amount) {
        if (from < amount) return Revert::InsufficientBalance;
        from -= amount;
        to += amount;
        return Revert::None;
    }

    Model& m_;
    std::uint64_t now_ms_;
};

}  // namespace draco::application::testing
