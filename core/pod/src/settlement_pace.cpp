#include "draco/pod/settlement_pace.hpp"

#include <algorithm>

namespace draco::pod {
namespace {

// Longer ones are as good as endless here.
constexpr std::uint64_t kLongestMs = std::uint64_t{1} << 40U;
// Settlements for closing lanes in an epoch, if it has so many.
constexpr std::uint32_t kClosingMin = 4;

Duration milliseconds(std::uint64_t count) {
    return std::chrono::milliseconds(std::min(count, kLongestMs));
}

}  // namespace

void SettlementPace::saw(const ChainClock& clock, Instant now) {
    if (!seen_) last_ = now;
    seen_ = true;
    clock_ = clock;
    seen_at_ = now;
    const Duration epoch = milliseconds(clock.epoch_ms);
    const Duration passed =
        milliseconds(clock.time.ms - std::min(clock.time.ms, clock.epoch_started.ms));
    end_begins_ = now + (epoch - std::min(options_.epoch_margin, epoch / 4) - passed);
}

void SettlementPace::began(Instant now, Urgency urgency) {
    last_ = now;
    if (urgency == Urgency::Closing) last_closing_ = now;
}

std::uint32_t SettlementPace::left() const {
    return clock_.settlements_max - std::min(clock_.settlements_max, clock_.settlements_used);
}

std::uint32_t SettlementPace::held_for_end() const {
    return std::max<std::uint32_t>(1, clock_.settlements_max / 4);
}

std::uint32_t SettlementPace::held_for_closing() const {
    return clock_.settlements_max / 8;
}

std::optional<Instant> SettlementPace::due(Urgency urgency, std::optional<UnixTime> ends) const {
    if (!seen_ || left() == 0) return std::nullopt;
    if (urgency != Urgency::Closing) return due_regularly(urgency);
    if (!last_closing_) return last_;
    const Duration share =
        milliseconds(clock_.epoch_ms) / std::max(kClosingMin, held_for_closing());
    Instant again = *last_closing_ + std::max(options_.interval, share);
    if (ends) {
        const Duration left = milliseconds(ends->ms - std::min(ends->ms, clock_.time.ms));
        const Instant before_end = seen_at_ + (left - std::min(options_.epoch_margin, left));
        again = std::min(again, std::max(before_end, *last_closing_ + options_.interval));
    }
    return std::min(again, due_regularly(Urgency::Regular).value_or(again));
}

std::optional<Instant> SettlementPace::due_regularly(Urgency urgency) const {
    if (left() <= held_for_closing()) return std::nullopt;
    const Duration pause = urgency == Urgency::More ? Duration{0} : options_.interval;
    const Instant at_end = last_ < end_begins_ ? end_begins_ : last_ + pause;
    if (left() <= held_for_end()) return at_end;
    const Duration to_end = std::max(Duration{0}, end_begins_ - last_);
    const Duration share = to_end / (left() - held_for_end());
    return std::min(at_end, last_ + std::max(options_.interval, share));
}

}  // namespace draco::pod
