#pragma once
// Watches every node of a simulated network, through crashes and restarts, and keeps the naive
// model: plain sums of the transfers that were executed.

#include "draco/interfaces/ledger.hpp"
#include "draco/sim/scenario.hpp"

#include "population.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace draco::sim {

class Checker {
public:
    Checker(const Population& population, PlantedBug bug);

    // What a node, in its life number `life`, reports to have executed.
    void executed(std::size_t node, std::uint64_t life, const interfaces::LedgerBlock& block);

    // Highest nonce of the account that some node executed.
    types::Nonce executed_nonce(const types::Address& address) const;

    std::uint64_t height() const { return heights_.empty() ? 0 : heights_.rbegin()->first; }

    std::uint64_t epochs() const { return epochs_; }

    std::uint64_t transfers() const { return transfers_; }

    // The first broken promise, if any.
    const std::optional<std::string>& violation() const { return violation_; }

    // When some node executed its opening; nullopt: none did.
    std::optional<types::LaneInstance> lane_instance(const types::LaneKey& lane) const;

    // At the end: the node's books against the model.
    Result<> check_books(std::size_t node, const interfaces::StateView& view) const;

private:
    struct Agreed {
        types::BlockDigest digest;
        types::StateRoot root;
    };

    struct Purse {
        types::FlkAmount flk;
        types::UsdAmount usd;
        types::Nonce nonce;
    };

    struct OpenedLane {
        types::LaneInstance instance;
        types::UsdAmount reserve;
    };

    Result<> check_revenue(std::size_t node, const interfaces::StateView& view) const;
    void fail_with(std::string what);
    void apply(const interfaces::LedgerBlock& block);
    void open_lane(const types::Address& payer, Purse& from, const types::OpenLane& opened);
    void apply(const types::SignedTransaction& transaction, const types::Receipt& receipt);

    PlantedBug bug_;
    std::map<std::uint64_t, Agreed> heights_;
    std::map<std::pair<std::size_t, std::uint64_t>, std::uint64_t> reported_;  // (node, life)
    std::map<types::Address, Purse> purses_;
    std::map<types::LaneKey, OpenedLane> lanes_;
    std::vector<types::Address> payees_;
    std::uint64_t epochs_ = 0;
    std::uint64_t transfers_ = 0;
    std::optional<std::string> violation_;
};

}  // namespace draco::sim
