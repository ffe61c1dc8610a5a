#include "conductor.hpp"

#include <utility>

namespace draco::consensus {

// All members may have stopped when some had executed the last block of an epoch and none had its
// certificate. Then those who have not executed it need the others' engines of that epoch.
Result<> Conductor::reopen_ended_epoch(const interfaces::StateView& view) {
    const types::Epoch running = view.epoch().epoch;
    if (running.value() == 0 || setting_.options.signed_elsewhere) return {};
    const types::Epoch ended(running.value() - 1);
    DRACO_TRY(has_log, logs_.has(ended));
    if (!has_log) return {};
    DRACO_TRY(last, uncertified_end(setting_.parts.ledger, ended, head_, setting_.chain));
    if (!last) return {};
    DRACO_TRY(committee, view.committee(ended));
    if (!committee || !committee->index_of(setting_.key.public_key())) return {};
    auto reopened = reopen(*committee, *last);
    if (reopened || reopened.error().code != Errc::Corrupt) return reopened;
    log_.warn("the ended epoch's log is damaged: its last block stays without a certificate here",
              {{"epoch", ended.value()}, {"error", to_string(reopened.error())}});
    return {};
}

Result<> Conductor::reopen(const types::Committee& committee, const Tip& last) {
    DRACO_TRY(tail, read_tail(setting_.parts.ledger, committee.epoch(), last, setting_.parameters));
    if (!tail) return {};
    DRACO_TRY(opened, logs_.open(committee.epoch()));
    // Void with the epoch's end.
    std::erase_if(opened.records, [&](const Record& record) {
        const auto* block = std::get_if<types::Block>(&record);
        return block != nullptr && block->height > last.height;
    });
    DRACO_TRY(joined, join_tail(std::move(opened.records), *tail, setting_.chain));
    Seat seat{setting_.chain,
              committee,
              setting_.key.clone(),
              types::WorkerIndex(0),
              joined.start,
              lanes_.size()};
    DRACO_TRY(core,
              Core::make(std::move(seat),
                         setting_.parameters,
                         {RecoveryMode::Participant, std::move(joined.records), last.height}));
    DRACO_TRY(writer, open_writer(committee.epoch(), std::move(opened.log)));
    previous_ = std::make_unique<Engine>(Surroundings{setting_.parts.links,
                                                      setting_.parts.ledger,
                                                      setting_.parts.executor.clock(),
                                                      setting_.workers,
                                                      log_},
                                         committee,
                                         std::move(core),
                                         std::move(writer));
    DRACO_TRY_VOID(previous_->executed(last.height, true));
    for (const types::NodeKey& peer : setting_.parts.links.connected())
        if (const auto member = committee.index_of(peer))
            DRACO_TRY_VOID(previous_->step(LinkUp{*member}));
    return previous_->step(WakeUp{});
}

}  // namespace draco::consensus
