#include "server.hpp"

#include <algorithm>
#include <utility>

namespace draco::sync {

bool ServeBudget::begin(const types::NodeKey& peer, bool is_tail) {
    const std::lock_guard lock(mutex_);
    std::size_t& all = is_tail ? tails_ : serves_;
    if (all >= (is_tail ? limits_.tails_max : limits_.serves_max)) return false;
    Use& use = uses_[peer];
    std::size_t& own = is_tail ? use.tails : use.serves;
    if (own >= (is_tail ? limits_.tails_per_peer_max : limits_.serves_per_peer_max)) return false;
    ++own;
    ++all;
    return true;
}

void ServeBudget::end(const types::NodeKey& peer, bool is_tail) {
    const std::lock_guard lock(mutex_);
    Use& use = uses_[peer];
    --(is_tail ? use.tails : use.serves);
    --(is_tail ? tails_ : serves_);
}

bool ServeBudget::begin_hold_up() {
    const std::lock_guard lock(mutex_);
    if (held_up_ >= limits_.tails_held_up_max) return false;
    ++held_up_;
    return true;
}

void ServeBudget::end_hold_up() {
    const std::lock_guard lock(mutex_);
    --held_up_;
}

Duration ServeBudget::spend(const types::NodeKey& peer, std::size_t bytes, Instant now) {
    const std::lock_guard lock(mutex_);
    std::erase_if(uses_, [now](const auto& one) {
        return one.second.serves == 0 && one.second.tails == 0 && one.second.paid_until <= now;
    });
    Use& use = uses_[peer];
    const auto cost_ns = static_cast<std::int64_t>(bytes * 1'000'000'000ULL / limits_.bytes_per_s);
    use.paid_until = std::max(use.paid_until, now) + Duration(cost_ns);
    return use.paid_until - now;
}

Serve::Turn Serve::go_on(const interfaces::Ledger& ledger, const ServeLimits& limits, Instant now) {
    if (!has_begun_) begin(ledger);
    if (written_ == unwritten_.size()) {
        if (!is_complete_)
            if (auto read = read_next(ledger, limits); !read) {
                responder_->finish(std::move(read));
                return Turn::Done;
            }
        if (is_complete_ && unwritten_.empty()) {
            responder_->finish({});
            return Turn::Done;
        }
        if (unwritten_.empty()) return Turn::WaitForBlock;
    }
    return write_some(now);
}

// Between records the answer is a whole one: there is nothing yet.
void Serve::give_up() {
    if (unwritten_.empty()) return responder_->finish({});
    responder_->finish(fail(Errc::Unavailable, "nobody took the answer in time"));
}

Duration Serve::wait(const ServeLimits& limits) const {
    const auto* tail = std::get_if<TailRequest>(&request_);
    const Duration asked = std::chrono::milliseconds(tail == nullptr ? 0 : tail->wait_ms);
    return std::min(asked, limits.tail_wait_max);
}

void Serve::end_hold_up() {
    if (std::exchange(is_held_up_, false)) budget_->end_hold_up();
}

void Serve::begin(const interfaces::Ledger& ledger) {
    has_begun_ = true;
    const auto latest = ledger.latest_certificate();
    const Status status{
        .lowest = ledger.lowest(), .head = ledger.view()->head().height, .latest = latest};
    append_record(unwritten_, bcs::encode(status));
    if (latest) last_ = latest->statement.height;
    if (const auto* range = std::get_if<RangeRequest>(&request_)) next_ = range->from;
    if (const auto* tail = std::get_if<TailRequest>(&request_)) next_ = tail->from;
    is_complete_ = std::holds_alternative<StatusRequest>(request_);
}

Serve::Turn Serve::write_some(Instant now) {
    const std::size_t size =
        std::min(unwritten_.size() - written_, interfaces::kResponseChunkBytesMax);
    Bytes chunk = to_bytes(ByteView(unwritten_).subspan(written_, size));
    const auto written = responder_->write(std::move(chunk));
    if (!written) {
        if (written.error().code != Errc::Exhausted) return Turn::Done;
        if (is_tail() && !is_held_up_) is_held_up_ = budget_->begin_hold_up();
        if (!is_tail() || is_held_up_) return Turn::WaitForCredit;
        responder_->finish(fail(Errc::Exhausted, "too many answers wait to be taken; come back"));
        return Turn::Done;
    }
    written_ += size;
    if (written_ == unwritten_.size()) {
        end_hold_up();
        unwritten_ = {};
        written_ = 0;
    }
    // Short bursts go unpaused.
    constexpr Duration kBurst = std::chrono::milliseconds(100);
    pause_ = budget_->spend(peer_, size, now);
    return pause_ > kBurst ? Turn::WaitForBudget : Turn::GoOn;
}

// Leaves nothing to write if a tail has to wait, or if the answer is complete.
Result<> Serve::read_next(const interfaces::Ledger& ledger, const ServeLimits& limits) {
    if (is_tail() && next_ > last_)
        if (const auto latest = ledger.latest_certificate())
            last_ = std::max(last_, latest->statement.height);
    if (next_ > last_ || blocks_ >= kRangeBlocksMax) {
        is_complete_ = !is_tail() || blocks_ >= kRangeBlocksMax;
        return {};
    }
    DRACO_TRY(bytes, ledger.read(next_));
    if (!bytes || bytes->size() > kBlockBytesMax) {
        is_complete_ = true;
        return {};
    }
    const auto archived = bcs::decode<interfaces::ArchivedBlock>(*bytes);
    if (!archived)
        return fail(Errc::Unavailable,
                    "the archive's block " + std::to_string(next_.value()) + " does not decode");
    if (epoch_ && *epoch_ != archived->block.epoch) {
        is_complete_ = true;
        return {};
    }
    epoch_ = archived->block.epoch;
    append_record(unwritten_, *bytes);
    bytes_ += bytes->size();
    ++blocks_;
    const bool is_certified =
        archived->certificate && archived->certificate->statement.height == next_;
    is_complete_ = ends_after(is_certified, limits);
    if (is_tail() && is_certified) blocks_ = 0;
    next_ = types::Height(next_.value() + 1);
    return {};
}

bool Serve::ends_after(bool is_certified, const ServeLimits& limits) const {
    const auto* range = std::get_if<RangeRequest>(&request_);
    if (range == nullptr) return false;
    return next_ == last_ ||
           (is_certified && (blocks_ >= range->count_max || bytes_ >= limits.range_bytes_max));
}

bool WaitingTails::keep(ServeStep step) {
    const std::lock_guard lock(mutex_);
    if (step.serve->last() < certified_) return false;
    std::swap(waiting_[step.serve->peer()], step);
    return true;
}

std::vector<ServeStep> WaitingTails::certified(types::Height height) {
    const std::lock_guard lock(mutex_);
    certified_ = std::max(certified_, height);
    std::vector<ServeStep> woken;
    woken.reserve(woken.size() + waiting_.size());
    for (auto& [peer, step] : waiting_) woken.push_back(std::move(step));
    waiting_.clear();
    return woken;
}

void WaitingTails::drop(const types::NodeKey& peer) {
    ServeStep dropped;
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(peer);
    if (found == waiting_.end()) return;
    dropped = std::move(found->second);
    waiting_.erase(found);
}

void WaitingTails::forget(const Serve& serve) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(serve.peer());
    if (found != waiting_.end() && found->second.serve.get() == &serve) waiting_.erase(found);
}

void Server::handle(const ServeStep& step) const {
    Serve& serve = *step.serve;
    const std::lock_guard lock(serve.mutex);
    if (!serve.take_turn(step.turn)) return;
    if (step.is_late) {
        tails_->forget(serve);
        return serve.give_up();
    }
    switch (serve.go_on(ledger_, limits_, self_.executor().clock().now())) {
        case Serve::Turn::Done:
            return;
        case Serve::Turn::GoOn:
            return go_on_with(step.serve)();
        case Serve::Turn::WaitForBudget:
            self_.executor().post_after(serve.pause(), go_on_with(step.serve));
            return;
        case Serve::Turn::WaitForCredit:
            return wait_for_credit(step.serve);
        case Serve::Turn::WaitForBlock:
            return wait_for_block(step.serve);
    }
}

// If the server has ended by then, the serve is dropped, which ends the answer.
Executor::Task Server::go_on_with(const std::shared_ptr<Serve>& serve) const {
    return [address = self_.address(), step = ServeStep{serve, serve->turn()}]() mutable {
        static_cast<void>(address.tell(std::move(step)));
    };
}

void Server::wait_for_credit(const std::shared_ptr<Serve>& serve) const {
    auto again = go_on_with(serve);
    arm(serve, limits_.credit_wait_max);
    serve->responder().on_writable(std::move(again));
}

void Server::wait_for_block(const std::shared_ptr<Serve>& serve) const {
    const ServeStep step{serve, serve->turn()};
    arm(serve, serve->wait(limits_));
    if (!tails_->keep(step)) static_cast<void>(self_.address().tell(step));
}

void Server::arm(const std::shared_ptr<Serve>& serve, Duration delay) const {
    auto late =
        [address = self_.address(), turn = serve->turn(), weak = std::weak_ptr<Serve>(serve)] {
            if (auto still_there = weak.lock())
                static_cast<void>(address.tell(ServeStep{std::move(still_there), turn, true}));
        };
    serve->alarm.emplace(self_.executor(), self_.executor().post_after(delay, std::move(late)));
}

}  // namespace draco::sync
