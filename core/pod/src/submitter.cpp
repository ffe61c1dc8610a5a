#include "draco/pod/submitter.hpp"

#include "draco/base/assert.hpp"
#include "draco/types/transaction.hpp"

#include <utility>

namespace draco::pod {
namespace {

class LaneSubmitter final : public Submitter {
public:
    explicit LaneSubmitter(interfaces::NodeSigner& signer) : signer_(signer) {}

    void submit(Settlement settlement, Done done) override {
        const std::size_t count = settlement.acks.size();
        auto acks = decltype(types::SettleLanes::acks)::make(std::move(settlement.acks));
        auto peers = decltype(types::SettleLanes::peers)::make(std::move(settlement.peers));
        DRACO_ASSERT(acks && peers, "a settlement is within its bounds");
        signer_.execute(types::SettleLanes{*std::move(acks), *std::move(peers)},
                        [count, done = std::move(done)](Result<types::Receipt> receipt) mutable {
                            done(judgement(std::move(receipt), count));
                        });
    }

private:
    static Result<Judgement> judgement(Result<types::Receipt> receipt, std::size_t count) {
        if (!receipt) return std::unexpected(std::move(receipt).error());
        Judgement made{.revert = receipt->revert, .outcomes = {}};
        if (made.revert != types::Revert::None) return made;
        if (receipt->acks->size() != count)
            return fail(Errc::Corrupt,
                        "the receipt of a settlement judges " +
                            std::to_string(receipt->acks->size()) + " acknowledgements of " +
                            std::to_string(count));
        for (const types::AckReceipt& ack : *receipt->acks) made.outcomes.push_back(ack.outcome);
        return made;
    }

    interfaces::NodeSigner& signer_;
};

}  // namespace

std::unique_ptr<Submitter> make_lane_submitter(interfaces::NodeSigner& signer) {
    return std::make_unique<LaneSubmitter>(signer);
}

}  // namespace draco::pod
