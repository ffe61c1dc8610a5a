#include "draco/simulon/trace.hpp"

#include "mix.hpp"

#include <algorithm>

namespace draco::simulon {

void Trace::event(Instant when, std::uint64_t kind, std::uint64_t node) {
    if (events_ % stride_ == 0) {
        if (marks_.size() == kMarksMax) {
            for (std::size_t i = 0; i < kMarksMax / 2; ++i) marks_[i] = marks_[2 * i];
            marks_.resize(kMarksMax / 2);
            stride_ *= 2;
        }
        marks_.push_back({digest_, when, node});
    }
    ++events_;
    note(static_cast<std::uint64_t>(when.since_origin.count()));
    note(kind << 56 ^ node);
}

void Trace::note(std::uint64_t value) {
    digest_ = combine(digest_, value);
}

void Trace::note(ByteView bytes) {
    digest_ = combine(digest_, bytes);
}

std::string Trace::difference(const Trace& a, const Trace& b) {
    if (a == b) return {};
    const Trace& longer = a.events_ >= b.events_ ? a : b;
    const Trace& shorter = a.events_ >= b.events_ ? b : a;
    const std::uint64_t stride = longer.stride_;
    const auto mark_of = [&](const Trace& trace, std::uint64_t event) -> const Mark* {
        const std::uint64_t index = event / trace.stride_;
        return index < trace.marks_.size() ? &trace.marks_[index] : nullptr;
    };
    std::uint64_t equal_until = 0;
    const Mark* last = nullptr;
    for (std::uint64_t event = 0;; event += stride) {
        const Mark* mark = mark_of(longer, event);
        const Mark* other = mark_of(shorter, event);
        if (mark == nullptr || other == nullptr || mark->digest != other->digest) break;
        equal_until = event;
        last = mark;
    }
    std::string text = "the runs have " + std::to_string(a.events_) + " and " +
                       std::to_string(b.events_) + " events and part at or after event " +
                       std::to_string(equal_until);
    if (last != nullptr)
        text += " (node " + std::to_string(last->node) + " at " +
                std::to_string(last->when.since_origin.count()) + " ns)";
    return text + ", at most " + std::to_string(stride) + " events later";
}

}  // namespace draco::simulon
