#include "conductor.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {
namespace {

// A log that was not written for so long is protected against damage at its end.
constexpr Duration kProtectDelay = std::chrono::milliseconds(200);

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

}  // namespace

Conductor::Conductor(const Setting& setting, affair::Self<Conductor> self)
    : setting_(setting),
      self_(std::move(self)),
      log_(setting.parts.log, "consensus"),
      logs_(setting.parts.disk,
            setting.options.directory,
            setting.options.log_segment_bytes,
            setting.chain,
            setting.key.public_key()),
      signed_epoch_(
          setting.parts.disk, setting.options.directory, setting.chain, setting.key.public_key()),
      started_(setting.parts.executor.clock().unix_now()) {}

Conductor::~Conductor() {
    if (timer_) setting_.parts.executor.cancel(*timer_);
    setting_.intake.close("consensus has stopped", false);
    for (const auto& [peer, inbox] : desks_) setting_.intake.remove_desk(peer);
}

// An error ends this object for good: nothing is sent any more.
Result<> Conductor::judged(Result<> outcome) {
    if (outcome) return outcome;
    bool fork = false;
    for (const Engine* engine : {running_.get(), previous_.get()})
        fork = fork || (engine != nullptr && engine->fork());
    setting_.intake.close(to_string(outcome.error()), fork);
    log_.error("consensus stops", {{"error", to_string(outcome.error())}, {"fork", fork}});
    return outcome;
}

Result<> Conductor::handle(Begin /*begin*/) {
    const auto begin = [&]() -> Result<> {
        DRACO_TRY_VOID(open_lanes());
        DRACO_TRY_VOID(begin_running_epoch());
        return turn(std::nullopt);
    };
    return judged(begin());
}

Result<> Conductor::handle(Poke /*poke*/) {
    return judged(turn(std::nullopt));
}

Result<> Conductor::handle(Verified verified) {
    return judged(turn(std::move(verified)));
}

Result<> Conductor::turn(std::optional<Verified> verified) {
    DRACO_TRY_VOID(take_news());
    DRACO_TRY_VOID(take_worker_news());
    if (verified) DRACO_TRY_VOID(step(*std::move(verified)));
    const Instant now = setting_.parts.executor.clock().now();
    protect_idle_logs(now);
    for (Engine* engine : {running_.get(), previous_.get()}) {
        if (engine == nullptr) continue;
        if (engine->is_due(now)) DRACO_TRY_VOID(engine->step(WakeUp{}));
        DRACO_TRY_VOID(settle(*engine));
    }
    retire();
    arm();
    publish();
    return {};
}

Result<> Conductor::step(Verified verified) {
    Engine* engine = engine_of(verified.epoch);
    if (engine == nullptr) return {};
    return engine->step(MessageReceived{verified.from, std::move(verified.message)});
}

Result<> Conductor::take_news() {
    Intake::News news = setting_.intake.take_news();
    if (news.overflow)
        return fail(Errc::Exhausted,
                    "consensus is " + std::to_string(kExecutedWaitingMax) +
                        " blocks behind the ledger: start the node again");
    for (const types::NodeKey& peer : news.links_up)
        for (Engine* engine : {running_.get(), previous_.get()}) {
            if (engine == nullptr) continue;
            if (const auto member = engine->committee().index_of(peer))
                DRACO_TRY_VOID(engine->step(LinkUp{*member}));
        }
    for (const ExecutedNews& executed : news.executed) DRACO_TRY_VOID(on_executed(executed));
    if (running_ && may_sign_) return running_->submit(std::move(news.submitted));
    resubmit(news.submitted);
    return {};
}

Result<> Conductor::on_executed(const ExecutedNews& news) {
    if (news.head.height <= head_) return {};
    head_ = news.head.height;
    if (Engine* engine = engine_of(news.epoch)) {
        if (news.followed) DRACO_TRY_VOID(engine->step(BlockFollowed{*news.followed}));
        DRACO_TRY_VOID(engine->executed(news.head.height, news.next_committee.has_value()));
    }
    return news.next_committee ? end_epoch(news) : Result<>{};
}

// What the core asked for beside messages.
Result<> Conductor::settle(Engine& engine) {
    if (engine.fork()) return std::unexpected(*engine.fork());
    const Engine::Requests requests = engine.take_requests();
    if (requests.lost_records) DRACO_TRY_VOID(on_lost_records(engine));
    if (requests.follow)
        if (auto* follower = setting_.late.follower.load()) follower->follow();
    resubmit(requests.resubmit);
    return start_write(engine);
}

Result<> Conductor::start_write(Engine& engine) {
    auto write = engine.begin_write();
    if (!write) {
        if (engine.has_unprotected() && !engine.is_writing() && !protect_at_)
            protect_at_ = setting_.parts.executor.clock().now() + kProtectDelay;
        return {};
    }
    DRACO_TRY(done, self_.in_turn([epoch = engine.epoch()](Conductor& conductor, Result<> outcome) {
        return conductor.judged(conductor.on_written(epoch, std::move(outcome)));
    }));
    write->done = std::move(done);
    protect_at_.reset();
    return engine.write(*std::move(write));
}

Result<> Conductor::on_written(types::Epoch epoch, Result<> outcome) {
    Engine* engine = engine_of(epoch);
    if (engine == nullptr || !engine->is_writing()) return {};
    if (!outcome) return fail(Errc::Io, "the consensus log: " + to_string(outcome.error()));
    engine->written();
    protect_at_ = setting_.parts.executor.clock().now() + kProtectDelay;
    return turn(std::nullopt);
}

Result<> Conductor::on_lost_records(Engine& engine) {
    engine.drop_writer();
    DRACO_TRY(aside, logs_.set_aside(engine.epoch()));
    log_.error("the consensus log lost records: this member signs nothing more in this epoch",
               {{"epoch", engine.epoch().value()}, {"set_aside", aside}});
    if (&engine != running_.get()) return {};
    may_sign_ = false;
    reason_ =
        "a certified header of this member is not in its log, which was set aside as " + aside;
    return {};
}

void Conductor::resubmit(const std::vector<types::TransactionBytes>& transactions) {
    if (transactions.empty()) return;
    auto* forwarder = setting_.late.forwarder.load();
    for (const types::TransactionBytes& transaction : transactions) {
        if (may_sign_ && running_ && setting_.intake.submit(transaction)) continue;
        if (forwarder != nullptr) forwarder->submit(to_bytes(*transaction), [](const auto&) {});
    }
}

void Conductor::protect_idle_logs(Instant now) {
    if (!protect_at_ || now < *protect_at_) return;
    protect_at_.reset();
    for (Engine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr && engine->has_unprotected()) engine->protect();
}

void Conductor::arm() {
    std::optional<Instant> next;
    for (const Engine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr) next = earlier(next, engine->wake());
    next = earlier(next, retire_at_);
    next = earlier(next, protect_at_);
    for (const auto& [lane, at] : lanes_restart_at_) next = earlier(next, at);
    if (next == armed_for_) return;
    if (timer_) setting_.parts.executor.cancel(*timer_);
    timer_.reset();
    armed_for_ = next;
    if (!next) return;
    timer_ =
        setting_.parts.executor.post_at(*next, [address = affair::Address<Poke>(self_.address())] {
            static_cast<void>(address.tell(Poke{}));
        });
}

// Ends what its time has come for.
void Conductor::retire() {
    const Instant now = setting_.parts.executor.clock().now();
    if (armed_for_ && *armed_for_ <= now) {
        armed_for_.reset();
        timer_.reset();
    }
    if (previous_ && previous_->is_settled() && !retire_at_)
        retire_at_ = now + setting_.options.linger;
    if (retire_at_ && *retire_at_ <= now) {
        retire_at_.reset();
        previous_.reset();
        open_routes();
        close_desks();
    }
}

void Conductor::publish() {
    interfaces::ConsensusStatus status;
    status.epoch = epoch_;
    if (member_)
        status.role =
            may_sign_ ? interfaces::ConsensusRole::Member : interfaces::ConsensusRole::Observer;
    if (member_ && !may_sign_) status.reason = reason_;
    std::size_t own_bytes = 0;
    if (running_) {
        const Core& core = running_->core();
        status.round = core.dag().quorum_round().value_or(Round(0));
        own_bytes = running_->own_bytes();
        for (std::size_t i = 0; i < running_->committee().size(); ++i)
            for (std::size_t reason = 0; reason < kRefusalCount; ++reason)
                status.messages_refused += core.refusals().of(
                    AuthorityIndex(static_cast<std::uint16_t>(i)), Refusal(reason));
        status.committed = running_->handed_over();
    }
    status.transactions_waiting_bytes = own_bytes;
    status.workers = static_cast<std::uint32_t>(setting_.workers.lanes());
    status.workers_linked = static_cast<std::uint32_t>(std::ranges::count(lanes_up_, true));
    setting_.intake.publish(std::move(status), intakes(), own_bytes);
}

Intakes Conductor::intakes() {
    if (!running_ || !may_sign_) return Intakes::NoMember;
    const bool is_ahead = running_->core().clock_is_ahead();
    if (is_ahead != told_of_clock_) {
        told_of_clock_ = is_ahead;
        if (is_ahead)
            log_.warn(
                "this node's clock is ahead of the committee's: its headers wait at the others, "
                "and transactions are left to other members until the clock is set",
                {{"epoch", epoch_.value()}});
        else
            log_.info("the others take this node's headers again", {{"epoch", epoch_.value()}});
    }
    return is_ahead ? Intakes::ClockAhead : Intakes::Yes;
}

}  // namespace draco::consensus
