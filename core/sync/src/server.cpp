#include "server.hpp"

#include <algorithm>
#include <utility>

namespace draco::sync {

bool ServeBudget::begin(const types::NodeKey& peer) {
    const std::lock_guard lock(mutex_);
    if (serves_ >= limits_.serves_max) return false;
    Use& use = uses_[peer];
    if (use.serves >= limits_.serves_per_peer_max) return false;
    ++use.serves;
    ++serves_;
    return true;
}

void ServeBudget::end(const types::NodeKey& peer) {
    const std::lock_guard lock(mutex_);
    --uses_[peer].serves;
    --serves_;
}

Duration ServeBudget::spend(const types::NodeKey& peer, std::size_t bytes, Instant now) {
    const std::lock_guard lock(mutex_);
    std::erase_if(uses_, [now](const auto& one) {
        return one.second.serves == 0 && one.second.paid_until <= now;
    });
    Use& use = uses_[peer];
    const auto cost_ns = static_cast<std::int64_t>(bytes * 1'000'000'000ULL / limits_.bytes_per_s);
    use.paid_until = std::max(use.paid_until, now) + Duration(cost_ns);
    return use.paid_until - now;
}

Serve::Turn Serve::go_on(const interfaces::Ledger& ledger, const ServeLimits& limits, Instant now) {
    if (!has_begun_) begin(ledger);
    if (written_ < unwritten_.size()) return write_some(now);
    if (is_complete_) {
        responder_->finish({});
        return Turn::Done;
    }
    if (auto read = read_next(ledger, limits); !read) {
        responder_->finish(std::move(read));
        return Turn::Done;
    }
    return Turn::GoOn;
}

void Serve::begin(const interfaces::Ledger& ledger) {
    has_begun_ = true;
    const auto latest = ledger.latest_certificate();
    const Status status{
        .lowest = ledger.lowest(), .head = ledger.view()->head().height, .latest = latest};
    append_record(unwritten_, bcs::encode(status));
    const auto* range = std::get_if<RangeRequest>(&request_);
    if (range == nullptr || !latest) {
        is_complete_ = true;
        return;
    }
    next_ = range->from;
    last_ = latest->statement.height;
}

Serve::Turn Serve::write_some(Instant now) {
    const std::size_t size =
        std::min(unwritten_.size() - written_, interfaces::kResponseChunkBytesMax);
    Bytes chunk = to_bytes(ByteView(unwritten_).subspan(written_, size));
    const auto written = responder_->write(std::move(chunk));
    if (!written) return written.error().code == Errc::Exhausted ? Turn::WaitForCredit : Turn::Done;
    written_ += size;
    // Short bursts go unpaused.
    constexpr Duration kBurst = std::chrono::milliseconds(100);
    pause_ = budget_->spend(peer_, size, now);
    return pause_ > kBurst ? Turn::WaitForBudget : Turn::GoOn;
}

Result<> Serve::read_next(const interfaces::Ledger& ledger, const ServeLimits& limits) {
    unwritten_.clear();
    written_ = 0;
    const auto& range = std::get<RangeRequest>(request_);
    if (next_ > last_ || blocks_ >= kRangeBlocksMax) {
        is_complete_ = true;
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
    is_complete_ =
        next_ == last_ ||
        (is_certified && (blocks_ >= range.count_max || bytes_ >= limits.range_bytes_max));
    next_ = types::Height(next_.value() + 1);
    return {};
}

void Server::handle(const ServeStep& step) const {
    const auto turn = step.serve->go_on(ledger_, limits_, self_.executor().clock().now());
    if (turn == Serve::Turn::Done) return;
    // If the server has ended by then, the serve is dropped, which ends the answer.
    auto again = [address = self_.address(), serve = step.serve]() mutable {
        static_cast<void>(address.tell(ServeStep{std::move(serve)}));
    };
    if (turn == Serve::Turn::GoOn) {
        again();
    } else if (turn == Serve::Turn::WaitForBudget) {
        self_.executor().post_after(step.serve->pause(), std::move(again));
    } else {
        step.serve->responder().on_writable(std::move(again));
    }
}

}  // namespace draco::sync
