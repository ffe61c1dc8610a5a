#pragma once
// Acknowledgements in memory that judge as a node does: real signatures, monotone counts, a
// reserve.

#include "draco/interfaces/delivery.hpp"
#include "draco/io/thread_pool.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace draco::handshake {

// The rules, without threads.
class AckRules {
public:
    explicit AckRules(types::ChainId chain) : chain_(chain) {}

    void open_lane(const types::LaneKey& key, const types::Lane& lane, std::uint64_t units_max) {
        lanes_[key] = {
            .lane = lane, .acknowledged = lane.settled, .latest = {}, .units_max = units_max};
    }

    Result<interfaces::LaneStanding> standing(const types::LaneKey& key) const {
        const auto found = lanes_.find(key);
        if (found == lanes_.end()) return fail(Errc::NotFound, "no such lane to this node");
        return found->second;
    }

    Result<interfaces::LaneStanding> acknowledge(const types::SignedDeliveryAck& signed_ack) {
        const types::DeliveryAck& ack = signed_ack.ack;
        const auto found = lanes_.find({.payer = ack.payer, .node = ack.node, .index = ack.lane});
        if (found == lanes_.end() || found->second.lane.instance != ack.instance)
            return fail(Errc::NotFound, "no such lane to this node");
        interfaces::LaneStanding& standing = found->second;
        DRACO_TRY_VOID(types::verify(chain_, standing.lane.session_key, signed_ack));
        if (ack.cumulative < standing.acknowledged)
            return fail(Errc::InvalidArgument, "less than was acknowledged before");
        if (ack.cumulative > standing.units_max)
            return fail(Errc::Exhausted, "more than the reserve pays for");
        standing.acknowledged = ack.cumulative;
        standing.latest = signed_ack;
        return standing;
    }

    void top_up(const types::LaneKey& key, std::uint64_t units_max) {
        lanes_.at(key).units_max = units_max;
    }

    void close(const types::LaneKey& key) { lanes_.at(key).lane.closes = UnixTime{1}; }

private:
    const types::ChainId chain_;
    std::map<types::LaneKey, interfaces::LaneStanding> lanes_;
};

class MemoryAcknowledgements final : public interfaces::Acknowledgements {
public:
    MemoryAcknowledgements(types::ChainId chain, io::ThreadPool& pool)
        : rules_(chain), pool_(pool) {}

    template <class Act>
    auto with_rules(Act&& act) {
        const std::lock_guard lock(mutex_);
        return act(rules_);
    }

    void standing(const types::LaneKey& lane, StandingCallback callback) override {
        answer(with_rules([&](AckRules& rules) { return rules.standing(lane); }),
               std::move(callback));
    }

    void acknowledge(const types::SignedDeliveryAck& ack, StandingCallback callback) override {
        answer(with_rules([&](AckRules& rules) { return rules.acknowledge(ack); }),
               std::move(callback));
    }

    void had_from_peer(const types::NodeKey& /*peer*/, std::uint64_t /*bytes*/) override {}

    std::vector<types::SignedDeliveryAck> kept(const std::optional<types::LaneKey>& /*after*/,
                                               std::size_t /*count_max*/) const override {
        return {};
    }

    interfaces::DeliveryStatus status() const override { return {}; }

private:
    void answer(Result<interfaces::LaneStanding> standing, StandingCallback callback) {
        pool_.post([standing = std::move(standing), callback = std::move(callback)]() mutable {
            callback(std::move(standing));
        });
    }

    mutable std::mutex mutex_;
    AckRules rules_;
    io::ThreadPool& pool_;
};

}  // namespace draco::handshake
