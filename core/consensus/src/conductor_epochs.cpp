#include "draco/base/text_encoding.hpp"

#include "conductor.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace draco::consensus {
namespace {

constexpr std::size_t kWriterMailbox = 64;

}  // namespace

Engine* Conductor::engine_of(types::Epoch epoch) {
    for (Engine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr && engine->epoch() == epoch) return engine;
    return nullptr;
}

types::Height Conductor::known_certified() const {
    types::Height known;
    if (const auto certificate = setting_.parts.ledger.latest_certificate())
        known = certificate->statement.height;
    if (auto* follower = setting_.late.follower.load())
        known = std::max(known, follower->status().known);
    return known;
}

Result<> Conductor::begin_running_epoch() {
    DRACO_TRY_VOID(read_past());
    const auto view = setting_.parts.ledger.view();
    const types::EpochInfo& epoch = view->epoch();
    DRACO_TRY(committee, types::Committee::make(epoch.epoch, *epoch.committee));
    const types::ChainHead& head = view->head();
    head_ = head.height;
    DRACO_TRY_VOID(reopen_ended_epoch(*view));
    return begin_epoch(committee, {head.height, head.digest, head.timestamp}, Beginning::Found);
}

Result<> Conductor::read_past() {
    if (setting_.options.signed_elsewhere) {
        DRACO_TRY_VOID(signed_epoch_.forget());
        return logs_.set_all_aside();
    }
    DRACO_TRY(found, signed_epoch_.read());
    if (found == SignedEpoch::File::Damaged)
        log_.warn(
            "the file that says in which epochs this home has signed is damaged: it signs "
            "without a log only in an epoch that begins before its eyes",
            {{"file", setting_.options.directory + "/signed-epoch"}});
    if (found == SignedEpoch::File::Absent && setting_.options.home_is_new)
        return signed_epoch_.begin();
    return {};
}

Result<> Conductor::end_epoch(const ExecutedNews& news) {
    previous_ = std::move(running_);
    retire_at_.reset();
    started_in_this_epoch_ = false;
    const types::ChainHead& head = news.head;
    DRACO_TRY_VOID(begin_epoch(
        *news.next_committee, {head.height, head.digest, head.timestamp}, Beginning::Here));
    if (epoch_.value() >= 2) return logs_.remove_up_to(types::Epoch(epoch_.value() - 2));
    return {};
}

Result<> Conductor::begin_epoch(const types::Committee& committee,
                                const Tip& tip,
                                Beginning beginning) {
    epoch_ = committee.epoch();
    member_ = committee.index_of(setting_.key.public_key()).has_value();
    may_sign_ = false;
    reason_.clear();
    if (member_) {
        DRACO_TRY(tail, tail_of(tip, beginning));
        DRACO_TRY(known, standing(epoch_, tip, beginning));
        if (!tail) reason_ = "the ledger has no blocks from which this epoch could be joined";
        if (tail) DRACO_TRY_VOID(open_engine(committee, *tail, std::move(known)));
    }
    log_.info("an epoch begins",
              {{"epoch", epoch_.value()},
               {"height", tip.height.value()},
               {"member", member_},
               {"signs", may_sign_},
               {"reason", reason_}});
    DRACO_TRY_VOID(open_desks());
    open_routes();
    close_desks();
    DRACO_TRY_VOID(begin_in_lanes(committee));
    return start_engine();
}

// nullopt: this epoch cannot be joined any more.
Result<std::optional<ChainTail>> Conductor::tail_of(const Tip& tip, Beginning beginning) const {
    if (beginning == Beginning::Here) return ChainTail{tip, {}};
    return read_tail(setting_.parts.ledger, epoch_, tip, setting_.parameters);
}

// The participation rule; README.md says why.
Result<Conductor::Standing> Conductor::standing(types::Epoch epoch,
                                                const Tip& tip,
                                                Beginning beginning) {
    if (started_in_this_epoch_ && setting_.options.signed_elsewhere)
        return Standing{.reason = "this key may have signed elsewhere in this epoch"};
    DRACO_TRY(has_log, logs_.has(epoch));
    if (has_log) {
        DRACO_TRY_VOID(signed_epoch_.after_log(epoch));
        return standing_by_log(epoch);
    }
    if (may_make_log(epoch, tip, beginning)) {
        DRACO_TRY_VOID(signed_epoch_.before_log(epoch));
        return standing_by_log(epoch);
    }
    if (signed_epoch_.is_known())
        return Standing{.reason =
                            "the consensus log of this epoch, in which this member has signed, "
                            "is gone"};
    return Standing{.reason =
                        "there is no consensus log of this epoch, and this home does not know "
                        "what its key has signed: a restored or wiped home"};
}

bool Conductor::may_make_log(types::Epoch epoch, const Tip& tip, Beginning beginning) const {
    if (signed_epoch_.is_known()) return signed_epoch_.is_untouched(epoch);
    // One that catches up gets to the epoch's begin before it can verify a certificate of the
    // epoch. But an earlier life can have signed only in epochs that began before this process did.
    return beginning == Beginning::Here && tip.timestamp > started_ &&
           known_certified() <= tip.height;
}

Result<Conductor::Standing> Conductor::standing_by_log(types::Epoch epoch) {
    auto opened = logs_.open(epoch);
    if (!opened && opened.error().code == Errc::Corrupt) return damaged(epoch, opened.error());
    if (!opened) return std::unexpected(std::move(opened).error());
    DRACO_TRY_VOID(signed_epoch_.after_log(epoch));
    return Standing{
        RecoveryMode::Participant, {}, std::move(opened->log), std::move(opened->records)};
}

Result<Conductor::Standing> Conductor::damaged(types::Epoch epoch, const Error& error) {
    DRACO_TRY(aside, logs_.set_aside(epoch));
    log_.error("the consensus log is damaged: this member signs nothing in this epoch",
               {{"epoch", epoch.value()}, {"error", to_string(error)}, {"set_aside", aside}});
    return Standing{.reason = "the consensus log is damaged and was set aside as " + aside + ": " +
                              to_string(error)};
}

Result<std::unique_ptr<Core>> Conductor::make_core(const types::Committee& committee,
                                                   const Tip& start,
                                                   Standing& standing) {
    Seat seat{setting_.chain,
              committee,
              setting_.key.clone(),
              types::WorkerIndex(0),
              start,
              lanes_.size()};
    Recovery recovery{standing.mode, std::move(standing.records), head_};
    return Core::make(std::move(seat), setting_.parameters, std::move(recovery));
}

// Without its log, which contradicts itself or the ledger.
Result<> Conductor::observe_instead(const types::Committee& committee,
                                    const ChainTail& tail,
                                    const Error& error,
                                    Standing& standing,
                                    std::unique_ptr<Core>& core) {
    standing.log.reset();
    DRACO_TRY(observer, damaged(committee.epoch(), error));
    standing = std::move(observer);
    standing.records = records_of(tail);
    DRACO_TRY(made, make_core(committee, tail.start, standing));
    core = std::move(made);
    return {};
}

Result<std::optional<affair::Owner<LogWriter>>> Conductor::open_writer(
    types::Epoch epoch, std::unique_ptr<segment_log::SegmentLog> log) {
    if (!log) return std::optional<affair::Owner<LogWriter>>();
    DRACO_TRY(
        owner,
        setting_.parts.registry.spawn<LogWriter>(
            {.name = "consensus log " + std::to_string(epoch.value()), .capacity = kWriterMailbox},
            [&log] { return std::make_unique<LogWriter>(std::move(log)); }));
    return std::optional(std::move(owner));
}

Result<> Conductor::open_engine(const types::Committee& committee,
                                const ChainTail& tail,
                                Standing standing) {
    std::unique_ptr<Core> core;
    std::optional<Error> contradiction;
    std::vector<types::Block> missing;
    auto joined = join_tail(std::move(standing.records), tail, setting_.chain);
    if (joined) {
        standing.records = std::move(joined->records);
        missing = std::move(joined->missing);
        auto made = make_core(committee, joined->start, standing);
        if (made)
            core = *std::move(made);
        else
            contradiction = std::move(made).error();
    } else {
        contradiction = std::move(joined).error();
    }
    if (contradiction) {
        if (contradiction->code != Errc::Corrupt || !standing.log)
            return std::unexpected(*std::move(contradiction));
        DRACO_TRY_VOID(observe_instead(committee, tail, *contradiction, standing, core));
    }
    if (standing.log)
        for (const types::Block& block : missing)
            DRACO_TRY_VOID(standing.log->append(block.anchor_round.value(), encode_record(block)));
    DRACO_TRY(writer, open_writer(committee.epoch(), std::move(standing.log)));
    may_sign_ = standing.mode == RecoveryMode::Participant;
    reason_ = std::move(standing.reason);
    running_ = std::make_unique<Engine>(Surroundings{setting_.parts.links,
                                                     setting_.parts.ledger,
                                                     setting_.parts.executor.clock(),
                                                     setting_.workers,
                                                     log_},
                                        committee,
                                        std::move(core),
                                        std::move(writer));
    return {};
}

Result<> Conductor::start_engine() {
    const auto early = setting_.intake.take_early();
    if (!running_) return {};
    for (const types::NodeKey& peer : setting_.parts.links.connected())
        if (const auto member = running_->committee().index_of(peer))
            DRACO_TRY_VOID(running_->step(LinkUp{*member}));
    DRACO_TRY_VOID(running_->step(WakeUp{}));
    for (const EarlyMessage& message : early)
        setting_.intake.on_message(message.from, message.message);
    return {};
}

// An inbox for every member that an engine hears.
Result<> Conductor::open_desks() {
    for (const Engine* engine : {running_.get(), previous_.get()}) {
        if (engine == nullptr) continue;
        for (const types::NodeKey& member : engine->committee().members()) {
            if (member == setting_.key.public_key() || desks_.contains(member)) continue;
            DRACO_TRY(inbox,
                      setting_.parts.registry.spawn<Inbox>(
                          {.name = "consensus inbox " + to_base58(member.view()),
                           .capacity = setting_.options.inbox_messages_max},
                          [&] {
                              return std::make_unique<Inbox>(setting_.intake.refused(),
                                                             self_.address());
                          }));
            setting_.intake.add_desk(member, {inbox.address(), std::make_shared<PeerCredit>()});
            desks_.emplace(member, std::move(inbox));
        }
    }
    return {};
}

void Conductor::close_desks() {
    std::erase_if(desks_, [&](const auto& desk) {
        for (const Engine* engine : {running_.get(), previous_.get()})
            if (engine != nullptr && engine->committee().index_of(desk.first)) return false;
        setting_.intake.remove_desk(desk.first);
        return true;
    });
}

void Conductor::open_routes() {
    std::vector<std::shared_ptr<const Route>> routes;
    for (const Engine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr)
            routes.push_back(std::make_shared<const Route>(Route{engine->committee(),
                                                                 setting_.chain,
                                                                 setting_.options.signatures,
                                                                 engine->votes_awaited_from()}));
    setting_.intake.set_routes(epoch_, std::move(routes));
}

}  // namespace draco::consensus
