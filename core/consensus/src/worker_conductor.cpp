#include "worker_conductor.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {
namespace {

constexpr std::size_t kLogMailbox = 64;
constexpr Duration kNodeRetry = std::chrono::milliseconds(5);

std::optional<Instant> sooner(std::optional<Instant> a, std::optional<Instant> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

}  // namespace

WorkerConductor::WorkerConductor(const Setting& setting, affair::Self<WorkerConductor> self)
    : setting_(setting),
      self_(std::move(self)),
      log_(setting.parts.log, "worker"),
      logs_(setting.parts.disk,
            setting.options.directory,
            setting.options.log_segment_bytes,
            setting.chain,
            setting.parts.links.self()) {}

WorkerConductor::~WorkerConductor() {
    if (timer_) setting_.parts.executor.cancel(*timer_);
    setting_.intake.close("the worker has stopped");
}

Result<> WorkerConductor::judged(Result<> outcome) {
    if (outcome) return outcome;
    setting_.intake.close(to_string(outcome.error()));
    log_.error("the worker stops", {{"error", to_string(outcome.error())}});
    return outcome;
}

Result<> WorkerConductor::handle(Poke /*poke*/) {
    return judged(turn(std::nullopt));
}

Result<> WorkerConductor::handle(Verified verified) {
    return judged(turn(std::move(verified)));
}

WorkerEngine* WorkerConductor::engine_of(types::Epoch epoch) {
    for (WorkerEngine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr && engine->epoch() == epoch) return engine;
    return nullptr;
}

Result<> WorkerConductor::turn(std::optional<Verified> verified) {
    DRACO_TRY_VOID(take_news());
    if (verified) step(*std::move(verified));
    const Instant now = setting_.parts.executor.clock().now();
    retry_at_.reset();
    for (WorkerEngine* engine : {running_.get(), previous_.get()}) {
        if (engine == nullptr) continue;
        if (engine->wake() && *engine->wake() <= now) engine->step(WakeUp{});
        if (!engine->tell_node()) retry_at_ = now + kNodeRetry;
        DRACO_TRY_VOID(write(*engine));
    }
    retire(now);
    arm();
    publish();
    return {};
}

void WorkerConductor::step(Verified verified) {
    WorkerEngine* engine = engine_of(verified.epoch);
    if (engine == nullptr) return;
    if (auto* batch = std::get_if<CheckedBatch>(&verified.message))
        engine->step(PeerMessage{verified.from, std::move(*batch)});
    else if (const auto* stored = std::get_if<BatchStored>(&verified.message))
        engine->step(PeerMessage{verified.from, *stored});
    else if (const auto* request = std::get_if<BatchRequest>(&verified.message))
        engine->step(PeerMessage{verified.from, *request});
}

Result<> WorkerConductor::take_news() {
    WorkerIntake::News news = setting_.intake.take_news();
    if (news.node_down)
        for (WorkerEngine* engine : {running_.get(), previous_.get()})
            if (engine != nullptr) engine->node_is_down();
    for (const Bytes& message : news.from_node) DRACO_TRY_VOID(hear_node(message));
    if (running_) running_->submit(std::move(news.submitted));
    return {};
}

Result<> WorkerConductor::hear_node(const Bytes& message) {
    auto order = bcs::decode<ToWorkerProcess>(message);
    if (order) return std::visit([&](const auto& each) { return obey(each); }, *order);
    log_.error("the node says what this worker does not understand: are both of one version?",
               {{"error", to_string(order.error())}});
    return {};
}

Result<> WorkerConductor::check_index(types::WorkerIndex told) const {
    const auto& own = setting_.options.index;
    if (!own || *own == told) return {};
    return fail(Errc::InvalidArgument,
                "the node has this worker at place " + std::to_string(told.value()) +
                    " of its [consensus] workers, counted from 0, and the worker was set up as "
                    "index " +
                    std::to_string(own->value()) +
                    ": put its line at that place of the node's config.toml, and start the node "
                    "and then this worker again");
}

Result<> WorkerConductor::obey(const BeginEpoch& order) {
    DRACO_TRY_VOID(check_index(order.worker));
    if (engine_of(order.epoch) != nullptr ||
        (told_of_epoch_ && order.epoch.value() + 1 < epoch_.value()))
        return {};
    DRACO_TRY(committee, types::Committee::make(order.epoch, *order.members));
    const auto self = committee.index_of(order.self);
    const bool is_older = told_of_epoch_ && order.epoch < epoch_;
    if (!is_older) {
        previous_ = std::move(running_);
        retire_at_.reset();
        if (previous_) retire_at_ = setting_.parts.executor.clock().now() + setting_.options.linger;
        epoch_ = order.epoch;
        told_of_epoch_ = true;
        if (order.epoch.value() > 1)
            DRACO_TRY_VOID(logs_.remove_up_to(types::Epoch(order.epoch.value() - 2)));
    }
    std::unique_ptr<WorkerEngine> engine;
    if (self) {
        DRACO_TRY(opened, open_engine(order, std::move(committee), *self));
        engine = std::move(opened);
    }
    if (is_older) {
        previous_ = std::move(engine);
        retire_at_ = setting_.parts.executor.clock().now() + setting_.options.linger;
    } else {
        running_ = std::move(engine);
    }
    log_.info("an epoch begins",
              {{"epoch", order.epoch.value()},
               {"worker", std::uint64_t{order.worker.value()}},
               {"member", self.has_value()}});
    open_routes();
    use_peers();
    return {};
}

Result<OpenedLog> WorkerConductor::open_log(types::Epoch epoch) {
    auto opened = logs_.open(epoch);
    if (opened || opened.error().code != Errc::Corrupt) return opened;
    DRACO_TRY(aside, logs_.set_aside(epoch));
    log_.error("the worker's log is damaged: what it held is fetched from the others",
               {{"error", to_string(opened.error())}, {"set_aside", aside}});
    return logs_.open(epoch);
}

Result<std::unique_ptr<WorkerEngine>> WorkerConductor::open_engine(const BeginEpoch& order,
                                                                   types::Committee committee,
                                                                   AuthorityIndex self) {
    DRACO_TRY(opened, open_log(order.epoch));
    DRACO_TRY(core,
              WorkerCore::make({setting_.chain, committee, self, order.worker},
                               setting_.parameters,
                               std::move(opened.records)));
    DRACO_TRY(
        writer,
        setting_.parts.registry.spawn<LogWriter>(
            {.name = "worker log " + std::to_string(order.epoch.value()), .capacity = kLogMailbox},
            [&] { return std::make_unique<LogWriter>(std::move(opened.log)); }));
    return std::make_unique<WorkerEngine>(setting_.parts.links,
                                          setting_.parts.executor.clock(),
                                          setting_.options.node.key,
                                          std::move(committee),
                                          std::move(core),
                                          std::move(writer));
}

Result<> WorkerConductor::obey(const PeerWorkers& order) {
    workers_.clear();
    std::vector<interfaces::PeerAddress> peers{setting_.options.node};
    std::map<types::NodeKey, PeerPort> ports;
    for (const PeerWorker& peer : *order.workers) {
        const types::NodeKey& key = peer.worker.key;
        if (ports.contains(key)) continue;
        workers_.emplace(peer.member, peer.worker);
        peers.push_back({key, *peer.worker.host, peer.worker.port});
        if (!inboxes_.contains(key)) {
            DRACO_TRY(inbox,
                      setting_.parts.registry.spawn<Inbox>(
                          {.name = "worker inbox " + to_base58(key.view()),
                           .capacity = setting_.options.inbox_messages_max},
                          [&] {
                              return std::make_unique<Inbox>(setting_.intake.refused(),
                                                             self_.address());
                          }));
            inboxes_.emplace(key, std::move(inbox));
        }
        ports.emplace(
            key, PeerPort{peer.member, inboxes_.at(key).address(), std::make_shared<PeerCredit>()});
    }
    setting_.intake.set_ports(ports);
    std::erase_if(inboxes_, [&](const auto& inbox) { return !ports.contains(inbox.first); });
    setting_.parts.links.set_peers(std::move(peers));
    use_peers();
    return {};
}

void WorkerConductor::use_peers() {
    for (WorkerEngine* engine : {running_.get(), previous_.get()}) {
        if (engine == nullptr) continue;
        WorkerKeys keys;
        for (const types::NodeKey& member : engine->committee().members()) {
            const auto found = workers_.find(member);
            keys.push_back(found == workers_.end() ? std::nullopt
                                                   : std::optional(found->second.key));
        }
        engine->set_peers(std::move(keys));
    }
}

Result<> WorkerConductor::obey(const ToWorker& order) {
    const types::Epoch epoch = std::visit([](const auto& each) { return each.epoch; }, order);
    if (WorkerEngine* engine = engine_of(epoch)) engine->step(NodeMessage{order});
    return {};
}

Result<> WorkerConductor::write(WorkerEngine& engine) {
    auto write = engine.begin_write(setting_.parts.executor.clock().now());
    if (!write) return {};
    DRACO_TRY(done,
              self_.in_turn([epoch = engine.epoch()](WorkerConductor& conductor, Result<> outcome) {
                  return conductor.judged(conductor.on_written(epoch, std::move(outcome)));
              }));
    write->done = std::move(done);
    return engine.write(*std::move(write));
}

Result<> WorkerConductor::on_written(types::Epoch epoch, Result<> outcome) {
    WorkerEngine* engine = engine_of(epoch);
    if (engine == nullptr || !engine->is_writing()) return {};
    if (!outcome) return fail(Errc::Io, "the worker's log: " + to_string(outcome.error()));
    engine->written();
    return turn(std::nullopt);
}

void WorkerConductor::open_routes() {
    static const auto kNoVotes = std::make_shared<const std::atomic<std::uint64_t>>(0);
    std::vector<std::shared_ptr<const Route>> routes;
    for (const WorkerEngine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr)
            routes.push_back(std::make_shared<const Route>(
                Route{engine->committee(), setting_.chain, SignatureCheck::Required, kNoVotes}));
    setting_.intake.set_routes(std::move(routes));
}

void WorkerConductor::retire(Instant now) {
    if (armed_for_ && *armed_for_ <= now) {
        armed_for_.reset();
        timer_.reset();
    }
    if (!retire_at_ || *retire_at_ > now) return;
    retire_at_.reset();
    previous_.reset();
    open_routes();
}

void WorkerConductor::arm() {
    std::optional<Instant> next = sooner(retire_at_, retry_at_);
    for (const WorkerEngine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr) next = sooner(next, engine->wake());
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

void WorkerConductor::publish() {
    interfaces::ConsensusStatus status;
    status.epoch = epoch_;
    if (!told_of_epoch_) status.reason = kNodeHasNotSpoken;
    std::size_t own_bytes = 0;
    if (running_) {
        status.role = interfaces::ConsensusRole::Member;
        own_bytes = running_->own_bytes();
    }
    status.transactions_waiting_bytes = own_bytes;
    setting_.intake.publish(std::move(status), own_bytes);
}

}  // namespace draco::consensus
