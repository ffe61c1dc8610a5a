#include "engine.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {
namespace {

// Records that nothing waits for are written when they are so many.
constexpr std::size_t kUnwrittenBytesMax = std::size_t{256} << 10;

std::size_t bytes_of(const std::vector<types::TransactionBytes>& transactions) {
    std::size_t bytes = 0;
    for (const auto& transaction : transactions) bytes += transaction->size();
    return bytes;
}

}  // namespace

Engine::Engine(Surroundings surroundings,
               types::Committee committee,
               std::unique_ptr<Core> core,
               std::optional<affair::Owner<LogWriter>> writer)
    : around_(std::move(surroundings)),
      committee_(std::move(committee)),
      core_(std::move(core)),
      writer_(std::move(writer)),
      votes_awaited_from_(
          std::make_shared<std::atomic<std::uint64_t>>(core_->votes_awaited_from().value())) {}

Result<> Engine::step(const Event& event) {
    Effects effects = std::exchange(effects_, {});
    core_->step(event, {around_.clock.now(), around_.clock.unix_now()}, effects);
    votes_awaited_from_->store(core_->votes_awaited_from().value(), std::memory_order_relaxed);
    auto outcome = perform(effects);
    effects.persist.clear();
    effects.sends.clear();
    effects.to_workers.clear();
    effects.blocks.clear();
    effects.certificates.clear();
    effects.busy.clear();
    effects.resubmit.clear();
    effects.wake.reset();
    effects.prune_below.reset();
    effects.follow_blocks = false;
    effects_ = std::move(effects);
    return outcome;
}

Result<> Engine::perform(Effects& effects) {
    wake_ = effects.wake;
    if (effects.fork)
        return stop_at_fork(
            {Errc::Corrupt,
             "two final blocks of one height exist: more than a third of the committee is "
             "faulty, or the ledger is; nothing more is signed"});
    if (effects.lost_records) {
        requests_.lost_records = true;
        held_back_.clear();
        std::erase_if(effects.sends,
                      [](const Send& send) { return send.release == Release::AfterPersist; });
    }
    keep(effects.persist);
    std::vector<Send> at_once;
    for (Send& send : effects.sends) {
        if (send.release == Release::AtOnce)
            at_once.push_back(std::move(send));
        else
            held_back_.push_back({appended_, std::move(send)});
    }
    transmit(at_once);
    for (const WorkerSend& send : effects.to_workers)
        around_.workers.tell(send.lane, *send.message);
    for (CommittedBlock& block : effects.blocks)
        if (!is_void(block.block)) for_ledger_.push_back(std::move(block));
    release();
    hand_over();
    for (const types::BlockCertificate& certificate : effects.certificates)
        DRACO_TRY_VOID(certify(certificate));
    if (effects.prune_below) prune_below_ = effects.prune_below;
    requests_.follow = requests_.follow || effects.follow_blocks;
    std::ranges::move(effects.resubmit, std::back_inserter(requests_.resubmit));
    waiting_bytes_ += bytes_of(effects.busy);
    std::ranges::move(effects.busy, std::back_inserter(waiting_));
    return {};
}

Result<> Engine::stop_at_fork(Error error) {
    fork_ = error;
    held_back_.clear();
    for_ledger_.clear();
    return std::unexpected(std::move(error));
}

void Engine::keep(std::vector<Persist>& records) {
    if (!writer_) return;
    appended_ += records.size();
    for (const Persist& each : records) unwritten_bytes_ += each.bytes();
    std::ranges::move(records, std::back_inserter(unwritten_));
}

// Member by member, so that what goes to one of them leaves in one piece.
void Engine::transmit(const std::vector<Send>& sends) {
    if (sends.empty()) return;
    for (std::size_t i = 0; i < committee_.size(); ++i) {
        const AuthorityIndex member(static_cast<std::uint16_t>(i));
        const types::NodeKey& key = committee_.key(member);
        if (key == around_.links.self()) continue;
        // A message that cannot be sent is one that got lost: the core sends it again if it
        // matters.
        for (const Send& send : sends)
            if (!send.to || *send.to == member)
                static_cast<void>(around_.links.send(
                    key, interfaces::Protocol::Consensus, send.channel, *send.message));
    }
}

void Engine::release() {
    std::vector<Send> released;
    while (!held_back_.empty() && held_back_.front().records <= durable_) {
        released.push_back(std::move(held_back_.front().send));
        held_back_.pop_front();
    }
    transmit(released);
}

void Engine::hand_over() {
    while (!for_ledger_.empty()) {
        const CommittedBlock& next = for_ledger_.front();
        const types::Height height = next.block.height;
        const auto taken = around_.ledger.append({next.block, next.digest, next.batches},
                                                 interfaces::BlockOrigin::Consensus);
        if (!taken && taken.error().code == Errc::Exhausted) return;
        if (!taken && taken.error().code == Errc::Corrupt)
            return static_cast<void>(stop_at_fork(taken.error()));
        if (!taken) {
            around_.log.error("the ledger refused a committed block",
                              {{"height", height.value()}, {"error", to_string(taken.error())}});
            requests_.follow = true;
        }
        handed_over_ = std::max(handed_over_, height);
        for_ledger_.pop_front();
    }
}

Result<> Engine::certify(const types::BlockCertificate& certificate) {
    const auto taken = around_.ledger.certify(certificate);
    if (!taken && taken.error().code == Errc::Corrupt) return stop_at_fork(taken.error());
    return {};
}

Result<> Engine::executed(types::Height height, bool last) {
    DRACO_TRY_VOID(step(BlockExecuted{height}));
    if (last) {
        last_ = height;
        std::erase_if(for_ledger_,
                      [&](const CommittedBlock& block) { return is_void(block.block); });
        DRACO_TRY_VOID(step(EpochEnded{height}));
    }
    hand_over();
    if (waiting_.empty()) return {};
    waiting_bytes_ = 0;
    return submit(std::exchange(waiting_, {}));
}

Engine::Requests Engine::take_requests() {
    return std::exchange(requests_, {});
}

Result<> Engine::submit(std::vector<types::TransactionBytes> transactions) {
    if (transactions.empty()) return {};
    return step(TransactionsSubmitted{std::move(transactions)});
}

std::size_t Engine::own_bytes() const {
    return core_->own_bytes() + waiting_bytes_;
}

std::optional<LogWriter::Write> Engine::begin_write() {
    if (!writer_ || writing_ || unwritten_.empty()) return std::nullopt;
    if (held_back_.empty() && unwritten_bytes_ < kUnwrittenBytesMax && !writes_all_)
        return std::nullopt;
    writing_ = true;
    writes_all_ = false;
    in_write_ = appended_;
    unwritten_bytes_ = 0;
    return LogWriter::Write{
        std::exchange(unwritten_, {}), std::exchange(prune_below_, std::nullopt), {}};
}

Result<> Engine::write(LogWriter::Write write) {
    auto told = writer_->address().tell(std::move(write));
    // A writer that was stopped first, when the node stops: what needs the records never leaves.
    if (told || told.error().error.code == Errc::Unavailable) return {};
    return std::unexpected(std::move(told).error().error);
}

void Engine::written() {
    writing_ = false;
    unprotected_ = true;
    durable_ = in_write_;
    release();
}

void Engine::protect() {
    if (!writer_) return;
    if (!unwritten_.empty()) {
        writes_all_ = true;  // and comes back here when that is done
        return;
    }
    unprotected_ = false;
    static_cast<void>(writer_->address().tell(LogWriter::Protect{}));
}

void Engine::drop_writer() {
    writer_.reset();
    writing_ = false;
    unprotected_ = false;
    unwritten_.clear();
    unwritten_bytes_ = 0;
    durable_ = appended_;
    release();
}

}  // namespace draco::consensus
