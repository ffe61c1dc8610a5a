#include "deadlines.hpp"

#include <utility>

namespace draco::http {

void Timer::disarm() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = this;
    next_ = this;
}

void Timer::insert_before(Timer& other) {
    previous_ = other.previous_;
    next_ = &other;
    previous_->next_ = this;
    other.previous_ = this;
}

void Deadlines::arm(Timer& timer, Wait what, Instant now) {
    timer.disarm();
    timer.what_ = what;
    timer.at_ = now + durations_[std::to_underlying(what)];
    timer.insert_before(lists_[std::to_underlying(what)]);
}

std::optional<Instant> Deadlines::earliest() const {
    std::optional<Instant> first;
    for (const Timer& list : lists_)
        if (list.is_armed() && (!first || list.next_->at_ < *first)) first = list.next_->at_;
    return first;
}

Timer* Deadlines::take_due(Instant now) {
    for (const Timer& list : lists_) {
        if (!list.is_armed() || list.next_->at_ > now) continue;
        Timer* const due = list.next_;
        due->disarm();
        return due;
    }
    return nullptr;
}

}  // namespace draco::http
