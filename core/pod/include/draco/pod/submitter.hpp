#pragma once
// How acknowledgements become the chain's business. Behind this class stands the form of the proof:
// today the signatures themselves, judged one by one.

#include "draco/base/result.hpp"
#include "draco/interfaces/signer.hpp"
#include "draco/types/receipt.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace draco::pod {

struct Settlement {
    std::vector<types::SignedDeliveryAck> acks;  // at most kSettlementAcksMax, of different lanes
    std::vector<types::PeerShare> peers;         // at most kSettlementPeersMax, different, not 0

    bool operator==(const Settlement&) const = default;
};

// What the chain made of a settlement.
struct Judgement {
    types::Revert revert = types::Revert::None;
    std::vector<types::AckOutcome> outcomes;  // of the acks in their order; none if it reverted

    bool operator==(const Judgement&) const = default;
};

class Submitter {
public:
    using Done = std::move_only_function<void(Result<Judgement>)>;

    virtual ~Submitter() = default;
    // `done` is called once, as a task of its own, when a block has executed the settlement. An
    // error: whether one will is unknown. Bringing the same acknowledgements again is safe.
    virtual void submit(Settlement settlement, Done done) = 0;
};

// Sends SettleLanes, signed by this node. `signer` outlives it.
std::unique_ptr<Submitter> make_lane_submitter(interfaces::NodeSigner& signer);

}  // namespace draco::pod
