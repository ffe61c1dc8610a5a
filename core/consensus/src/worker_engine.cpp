#include "worker_engine.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {
namespace {

constexpr Duration kWritePause = std::chrono::milliseconds(8);
constexpr std::size_t kUnpausedBytes = std::size_t{2} << 20;

}  // namespace

WorkerEngine::WorkerEngine(interfaces::Links& links,
                           const Clock& clock,
                           const types::NodeKey& node,
                           types::Committee committee,
                           std::unique_ptr<WorkerCore> core,
                           affair::Owner<LogWriter> writer)
    : links_(links),
      clock_(clock),
      node_(node),
      committee_(std::move(committee)),
      core_(std::move(core)),
      writer_(std::move(writer)),
      peers_(committee_.size()) {}

void WorkerEngine::step(const WorkerEvent& event) {
    WorkerEffects effects;
    core_->step(event, {clock_.now(), clock_.unix_now()}, effects);
    perform(effects);
    if (waiting_.empty() || !std::holds_alternative<NodeMessage>(event)) return;
    waiting_bytes_ = 0;
    submit(std::exchange(waiting_, {}));
}

void WorkerEngine::submit(std::vector<types::TransactionBytes> transactions) {
    if (!transactions.empty()) step(TransactionsSubmitted{std::move(transactions)});
}

void WorkerEngine::perform(WorkerEffects& effects) {
    wake_ = effects.wake;
    appended_ += effects.persist.size();
    for (Persist& record : effects.persist) {
        unwritten_bytes_ += record.bytes();
        unwritten_.push_back(std::move(record));
    }
    if (effects.prune_below) prune_below_ = effects.prune_below;
    for (const Send& send : effects.sends) transmit(send);
    for (NodeSend& send : effects.to_node) {
        if (send.release == Release::AtOnce)
            to_node_.push_back(std::move(send));
        else
            held_back_.push_back({appended_, std::move(send)});
    }
    for (types::TransactionBytes& refused : effects.busy) {
        waiting_bytes_ += refused->size();
        waiting_.push_back(std::move(refused));
    }
    while (!held_back_.empty() && held_back_.front().records <= durable_) {
        to_node_.push_back(std::move(held_back_.front().send));
        held_back_.pop_front();
    }
    static_cast<void>(tell_node());
}

void WorkerEngine::transmit(const Send& send) {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        const AuthorityIndex member(static_cast<std::uint16_t>(i));
        if (!peers_[i] || (send.to && *send.to != member)) continue;
        // What cannot be sent got lost: who needs it asks for it.
        static_cast<void>(
            links_.send(*peers_[i], interfaces::Protocol::Consensus, send.channel, *send.message));
    }
}

bool WorkerEngine::tell_node() {
    while (!to_node_.empty()) {
        const NodeSend& next = to_node_.front();
        const auto sent =
            links_.send(node_, interfaces::Protocol::Worker, next.channel, *next.message);
        if (!sent && sent.error().code == Errc::Exhausted) return false;
        to_node_.pop_front();
    }
    return true;
}

std::optional<Instant> WorkerEngine::wake() const {
    if (writing_ || unwritten_.empty() || !last_write_) return wake_;
    const Instant next = *last_write_ + kWritePause;
    return wake_ ? std::min(*wake_, next) : next;
}

std::optional<LogWriter::Write> WorkerEngine::begin_write(Instant now) {
    if (writing_ || unwritten_.empty()) return std::nullopt;
    if (last_write_ && now < *last_write_ + kWritePause && unwritten_bytes_ < kUnpausedBytes)
        return std::nullopt;
    writing_ = true;
    last_write_ = now;
    unwritten_bytes_ = 0;
    in_write_ = appended_;
    return LogWriter::Write{
        std::exchange(unwritten_, {}), std::exchange(prune_below_, std::nullopt), {}};
}

Result<> WorkerEngine::write(LogWriter::Write write) {
    auto told = writer_.address().tell(std::move(write));
    if (told || told.error().error.code == Errc::Unavailable) return {};
    return std::unexpected(std::move(told).error().error);
}

void WorkerEngine::written() {
    writing_ = false;
    durable_ = in_write_;
    WorkerEffects none;
    none.wake = wake_;
    perform(none);
}

}  // namespace draco::consensus
