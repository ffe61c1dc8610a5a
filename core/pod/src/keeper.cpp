#include "keeper.hpp"

#include "draco/base/checked.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace draco::pod {
namespace {

Result<LaneOnChain> look_up(const interfaces::StateView& view, const types::LaneKey& key) {
    LaneOnChain found{.lane = {}, .time = view.head().timestamp, .payer_nonce = {}};
    DRACO_TRY(lane, view.lane(key));
    found.lane = lane;
    if (lane) return found;
    DRACO_TRY(payer, view.account(key.payer));
    found.payer_nonce = payer.nonce;
    return found;
}

Result<ChainClock> read_clock(const interfaces::StateView& view, const types::NodeKey& node) {
    const types::EpochInfo& epoch = view.epoch();
    const types::ChainParameters& parameters = view.parameters();
    ChainClock clock{.time = view.head().timestamp,
                     .epoch = epoch.epoch,
                     .epoch_started = epoch.started,
                     .epoch_ms = parameters.epoch_ms,
                     .settlements_max = parameters.node_settlements_max,
                     .settlements_used = 0};
    DRACO_TRY(record, view.node(node));
    if (record && record->counted_epoch == epoch.epoch)
        clock.settlements_used = record->settlements;
    return clock;
}

}  // namespace

void KeeperShared::add_peer(const types::NodeKey& peer, std::uint64_t bytes) {
    const std::scoped_lock lock(peers_mutex_);
    auto at = peers_.find(peer);
    if (at == peers_.end()) {
        if (peers_.size() >= options_.core.peers_max) return;
        at = peers_.emplace(peer, 0).first;
    }
    at->second = checked_add(at->second, bytes).value_or(std::numeric_limits<std::uint64_t>::max());
}

std::vector<types::PeerShare> KeeperShared::take_peers() {
    const std::scoped_lock lock(peers_mutex_);
    std::vector<types::PeerShare> taken;
    for (const auto& [peer, bytes] : std::exchange(peers_, {})) taken.push_back({peer, bytes});
    return taken;
}

Keeper::Keeper(affair::Self<Keeper> self,
               std::shared_ptr<KeeperShared> shared,
               Journal::Opened journal)
    : self_(std::move(self)),
      shared_(std::move(shared)),
      log_(shared_->parts().log, "pod"),
      journal_(std::move(journal.journal)) {
    if (!journal.content.acks.empty())
        log_.info("acknowledgements of an earlier run are settled, unless the chain has them",
                  {{"lanes", std::uint64_t{journal.content.acks.size()}}});
    shared_->with_core([&](std::optional<Core>& core) {
        core.emplace(shared_->parts().ledger.view()->chain(),
                     shared_->node(),
                     journal.content,
                     shared_->options().core);
    });
    // If the mailbox is full, the next block is another occasion.
    (void)self_.address().tell(LookAtChain{});
}

Keeper::~Keeper() {
    if (timer_at_) self_.executor().cancel(timer_);
    shared_->with_core([](std::optional<Core>& core) { core.reset(); });
}

Result<> Keeper::handle(TakeWord message) {
    const types::DeliveryAck& ack = message.word.ack;
    auto chain = look_up(*shared_->parts().ledger.view(), {ack.payer, ack.node, ack.lane});
    if (!chain) {
        message.reply.call(std::unexpected(std::move(chain).error()));
        return {};
    }
    const RequestId request = ++request_last_;
    replies_.emplace(request, std::move(message.reply));
    return apply(AckReceived{request, message.word, *std::move(chain)});
}

Result<> Keeper::handle(TellStanding message) {
    auto chain = look_up(*shared_->parts().ledger.view(), message.lane);
    if (!chain) {
        message.reply.call(std::unexpected(std::move(chain).error()));
        return {};
    }
    const RequestId request = ++request_last_;
    replies_.emplace(request, std::move(message.reply));
    return apply(StandingAsked{request, message.lane, *std::move(chain)});
}

Result<> Keeper::handle(LookAtChain /*message*/) {
    shared_->end_look();
    if (!flush_scheduled_) DRACO_TRY_VOID(journal_->protect());
    if (auto peers = shared_->take_peers(); !peers.empty())
        events_.emplace_back(PeersServed{std::move(peers)});
    const auto clock = read_clock(*shared_->parts().ledger.view(), shared_->node());
    if (clock)
        events_.emplace_back(ChainSeen{*clock});
    else
        log_.error("the state of this node cannot be read", {{"error", to_string(clock.error())}});
    return run_events();
}

Result<> Keeper::apply(Event event) {
    events_.push_back(std::move(event));
    return run_events();
}

Result<> Keeper::run_events() {
    Effects effects;
    while (!events_.empty()) {
        Event next = std::move(events_.front());
        events_.pop_front();
        effects.clear();
        shared_->with_core([&](std::optional<Core>& core) {
            core->step(std::move(next), self_.executor().clock().now(), effects);
        });
        for (Effect& effect : effects)
            std::visit([this](auto& alternative) { perform(std::move(alternative)); }, effect);
    }
    set_timer();
    const auto failure =
        shared_->with_core([](const std::optional<Core>& core) { return core->failure(); });
    if (failure) return std::unexpected(*failure);
    return {};
}

void Keeper::perform(Persist effect) {
    appended_ = effect.ticket;
    if (!append_failure_)
        if (auto appended = journal_->append(effect.record); !appended)
            append_failure_ = std::move(appended).error();
    schedule_flush();
}

// Behind the messages that wait, so that one sync is for all of them.
void Keeper::schedule_flush() {
    if (flush_scheduled_) return;
    auto turn = self_.in_turn([](Keeper& keeper) -> Result<> {
        keeper.flush();
        return keeper.run_events();
    });
    if (!turn) return flush();
    flush_scheduled_ = true;
    (*std::move(turn))();
}

void Keeper::flush() {
    flush_scheduled_ = false;
    auto written = write_out();
    if (!written)
        log_.error("the journal of acknowledgements could not be written; none is taken",
                   {{"error", to_string(written.error())}});
    events_.emplace_back(Persisted{appended_, std::move(written)});
}

Result<> Keeper::write_out() {
    if (append_failure_) return std::unexpected(*append_failure_);
    DRACO_TRY_VOID(journal_->sync());
    const auto live = shared_->with_core([&](const std::optional<Core>& core) {
        return journal_->wants_rewrite(core->live_count()) ? std::optional(core->live())
                                                           : std::nullopt;
    });
    if (live) return journal_->rewrite(*live);
    return {};
}

void Keeper::perform(const ReadLanes& effect) {
    LanesRead read;
    const auto view = shared_->parts().ledger.view();
    for (const types::LaneKey& key : effect.lanes) {
        auto chain = look_up(*view, key);
        if (chain)
            read.lanes.emplace_back(key, *std::move(chain));
        else
            log_.error("a lane cannot be read", {{"error", to_string(chain.error())}});
    }
    events_.emplace_back(std::move(read));
}

void Keeper::perform(Submit effect) {
    const std::uint64_t settlement = effect.settlement;
    remove_unknown_peers(effect.content.peers);
    auto turn = self_.in_turn([settlement](Keeper& keeper, Result<Judgement> judgement) {
        return keeper.apply(Judged{settlement, std::move(judgement)});
    });
    if (!turn) {
        events_.emplace_back(Judged{settlement, std::unexpected(turn.error())});
        return;
    }
    shared_->submitter().submit(std::move(effect.content),
                                [turn = *std::move(turn)](Result<Judgement> judgement) mutable {
                                    turn(std::move(judgement));
                                });
}

// A name that the chain does not know would revert the settlement.
void Keeper::remove_unknown_peers(std::vector<types::PeerShare>& peers) {
    const auto view = shared_->parts().ledger.view();
    const auto removed = std::erase_if(peers, [&](const types::PeerShare& share) {
        const auto record = view->node(share.peer);
        return !record || !*record;
    });
    if (removed > 0)
        log_.info("peers that are not registered get no share",
                  {{"peers", std::uint64_t{removed}}});
}

void Keeper::perform(Reply effect) {
    const auto at = replies_.find(effect.request);
    if (at == replies_.end()) return;
    at->second.call(std::move(effect.result));
    replies_.erase(at);
}

void Keeper::perform(const AckDropped& effect) {
    log_.warn("an acknowledgement is dropped: it cannot be settled any more",
              {{"payer", crypto::to_text(effect.word.ack.payer)},
               {"lane", std::uint64_t{effect.word.ack.lane.value()}},
               {"why", std::string(types::to_string(effect.why))},
               {"units_not_counted", effect.units}});
}

void Keeper::perform(const SettlementFailed& effect) {
    log_.warn(effect.peers_kept
                  ? "a settlement was not taken, and is made again"
                  : "a settlement was not taken, and is made again without the peers it named",
              {{"error", to_string(effect.error)}});
}

void Keeper::set_timer() {
    const auto wanted =
        shared_->with_core([](const std::optional<Core>& core) { return core->wakes_at(); });
    if (wanted == timer_at_) return;
    if (timer_at_) self_.executor().cancel(timer_);
    timer_at_.reset();
    if (!wanted) return;
    auto turn = self_.in_turn([due = *wanted](Keeper& keeper) -> Result<> {
        // It may have been set anew while this turn waited.
        if (keeper.timer_at_ == due) keeper.timer_at_.reset();
        return keeper.apply(TimePassed{});
    });
    if (!turn) return;  // the next message sets it
    timer_ = self_.executor().post_at(*wanted, [turn = *std::move(turn)]() mutable { turn(); });
    timer_at_ = wanted;
}

}  // namespace draco::pod
