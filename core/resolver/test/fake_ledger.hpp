#pragma once
// A chain of which only the nodes matter.

#include "draco/interfaces/ledger.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace draco::resolver::testing {

using interfaces::StateView;
using types::NodeKey;
using types::NodeRecord;

using Nodes = std::map<NodeKey, NodeRecord>;

class NodesView final : public StateView {
public:
    explicit NodesView(Nodes nodes) : nodes_(std::move(nodes)) {}

    types::ChainId chain() const override { return types::ChainId(7); }

    types::GenesisDigest genesis() const override { return {}; }

    const types::ChainParameters& parameters() const override { return parameters_; }

    const types::ChainHead& head() const override { return head_; }

    types::StateRoot state_root() const override { return {}; }

    const types::EpochInfo& epoch() const override { return epoch_; }

    const types::Supply& supply() const override { return supply_; }

    Result<types::Account> account(const types::Address&) const override {
        return types::Account{};
    }

    Result<std::optional<NodeRecord>> node(const NodeKey&) const override { return std::nullopt; }

    Result<std::vector<std::pair<types::Address, types::Account>>> accounts(
        const std::optional<types::Address>&, std::size_t) const override {
        return std::vector<std::pair<types::Address, types::Account>>{};
    }

    Result<std::vector<std::pair<NodeKey, NodeRecord>>> nodes(
        const std::optional<NodeKey>& after, std::size_t count_max) const override {
        std::vector<std::pair<NodeKey, NodeRecord>> page;
        for (auto one = after ? nodes_.upper_bound(*after) : nodes_.begin();
             one != nodes_.end() && page.size() < count_max;
             ++one)
            page.emplace_back(*one);
        return page;
    }

    Result<std::optional<types::Committee>> committee(types::Epoch) const override {
        return std::nullopt;
    }

    Result<std::optional<types::Receipt>> receipt(const types::TransactionHash&) const override {
        return std::nullopt;
    }

    types::UsdAmount revenue_pot() const override { return {}; }

    Result<std::optional<types::Lane>> lane(const types::LaneKey&) const override {
        return std::nullopt;
    }

    Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes(
        const std::optional<types::LaneKey>&, std::size_t) const override {
        return std::vector<std::pair<types::LaneKey, types::Lane>>{};
    }

    Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes_of(
        const types::Address&, const std::optional<types::LaneKey>&, std::size_t) const override {
        return std::vector<std::pair<types::LaneKey, types::Lane>>{};
    }

    Result<std::vector<std::pair<types::Commodity, types::UnitPrice>>> prices() const override {
        return std::vector<std::pair<types::Commodity, types::UnitPrice>>{};
    }

    Result<std::vector<std::pair<types::ServiceId, types::Service>>> services() const override {
        return std::vector<std::pair<types::ServiceId, types::Service>>{};
    }

    Result<std::optional<types::NodeRevenue>> node_revenue(types::Epoch,
                                                           const NodeKey&) const override {
        return std::nullopt;
    }

    Result<std::optional<types::EpochRevenue>> epoch_revenue(types::Epoch) const override {
        return std::nullopt;
    }

    Result<Bytes> prove_account(const types::Address&) const override { return Bytes{}; }

private:
    Nodes nodes_;
    types::ChainParameters parameters_;
    types::ChainHead head_;
    types::EpochInfo epoch_;
    types::Supply supply_;
};

class NodesLedger final : public interfaces::Ledger {
public:
    explicit NodesLedger(const Nodes& nodes) : nodes_(nodes) {}

    // An epoch ends.
    void tell() {
        interfaces::LedgerBlock block{};
        block.result.next_committee.emplace(
            types::Committee::make(types::Epoch(1), {nodes_.begin()->first}).value());
        const auto shared = std::make_shared<const interfaces::LedgerBlock>(std::move(block));
        for (auto* observer : observers_) observer->on_block(shared);
    }

    Result<> append(interfaces::BlockWithContent, interfaces::BlockOrigin) override { return {}; }

    Result<> certify(const types::BlockCertificate&) override { return {}; }

    std::shared_ptr<const StateView> view() const override {
        return std::make_shared<NodesView>(nodes_);
    }

    std::optional<types::BlockCertificate> latest_certificate() const override {
        return std::nullopt;
    }

    types::Height lowest() const override { return {}; }

    Result<std::optional<Bytes>> read(types::Height) const override { return std::nullopt; }

    void add_observer(interfaces::LedgerObserver& observer) override {
        observers_.push_back(&observer);
    }

    void remove_observer(interfaces::LedgerObserver& observer) override {
        std::erase(observers_, &observer);
    }

private:
    const Nodes& nodes_;
    std::vector<interfaces::LedgerObserver*> observers_;
};

}  // namespace draco::resolver::testing
