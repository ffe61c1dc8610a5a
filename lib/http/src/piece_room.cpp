#include "piece_room.hpp"

#include <utility>

namespace draco::http {
namespace {

constexpr Duration kMillisecond = std::chrono::milliseconds(1);

}  // namespace

bool PieceRoom::take(Place& place, std::uint64_t bytes) {
    if (place.kept_ > 0) {
        bytes_ -= std::exchange(place.kept_, 0);
        bytes_ += bytes;
        place.bytes_ += bytes;
        return true;
    }
    if (place.is_in_line()) return false;
    const bool is_first = place.bytes_ == 0;
    if (line_.empty() && has_room(bytes, is_first ? bytes_max_ : bytes_max_ - bytes_max_ / 4)) {
        bytes_ += bytes;
        place.bytes_ += bytes;
        return true;
    }
    if (is_first) {
        place.wanted_ = bytes;
        place.ticket_ = next_ticket_++;
        line_.emplace(place.ticket_, &place);
    }
    return false;
}

bool PieceRoom::take_at_once(Place& place, std::uint64_t bytes) {
    if (!line_.empty() || !has_room(bytes, bytes_max_)) return false;
    bytes_ += bytes;
    place.bytes_ += bytes;
    return true;
}

void PieceRoom::give_back(Place& place, std::uint64_t bytes) {
    place.bytes_ -= bytes;
    bytes_ -= bytes;
    if (place.bytes_ == 0) forget_rank(place);
}

PieceRoom::Place* PieceRoom::admit() {
    if (line_.empty()) return nullptr;
    Place& first = *line_.begin()->second;
    if (!has_room(first.wanted_, bytes_max_)) return nullptr;
    line_.erase(line_.begin());
    first.ticket_ = 0;
    first.kept_ = first.wanted_;
    bytes_ += first.kept_;
    return &first;
}

void PieceRoom::note(Place& place, bool is_behind, std::uint64_t taken, Instant now) {
    place.taken_ = taken;
    if (!is_behind || place.bytes_ == 0) return forget_rank(place);
    if (place.rank_ != 0 && taken < place.step_taken_ + kStepBytes) return;
    forget_rank(place);
    place.rank_ = next_ticket_++;
    place.step_at_ = now;
    place.step_taken_ = taken;
    behind_.emplace(place.rank_, &place);
}

std::vector<PieceRoom::Place*> PieceRoom::slow(Instant now) const {
    std::vector<Place*> slow;
    for (const auto& [rank, place] : behind_) {
        if (now - place->step_at_ < slow_after_) break;
        slow.push_back(place);
    }
    return slow;
}

PieceRoom::Place* PieceRoom::slowest(Instant now) const {
    const auto steps = [&](const Place& place) {
        return std::pair(place.taken_ - place.step_taken_,
                         static_cast<std::uint64_t>((now - place.step_at_) / kMillisecond) + 1);
    };
    Place* found = nullptr;
    for (Place* const place : slow(now)) {
        if (found == nullptr) {
            found = place;
            continue;
        }
        const auto [bytes, ms] = steps(*place);
        const auto [least_bytes, least_ms] = steps(*found);
        if (bytes * least_ms < least_bytes * ms) found = place;  // less than kStepBytes each
    }
    return found;
}

bool PieceRoom::has_room(std::uint64_t bytes, std::uint64_t bytes_max) const {
    return bytes_ == 0 || (bytes <= bytes_max && bytes_ <= bytes_max - bytes);
}

void PieceRoom::forget_rank(Place& place) {
    if (const std::uint64_t rank = std::exchange(place.rank_, 0)) behind_.erase(rank);
}

void PieceRoom::leave(Place& place) {
    forget_rank(place);
    if (const std::uint64_t ticket = std::exchange(place.ticket_, 0)) line_.erase(ticket);
    bytes_ -= place.bytes_ + place.kept_;
    place.bytes_ = 0;
    place.kept_ = 0;
}

}  // namespace draco::http
