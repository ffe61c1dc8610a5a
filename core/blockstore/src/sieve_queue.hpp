#pragma once
// SIEVE: which of many objects is worth least (Zhang et al., "SIEVE is Simpler than LRU", NSDI
// 2024). A queue in the order of arrival and a hand that moves from the oldest to the newest: what
// was used since the hand last passed is spared once, what was not is the victim. A use costs no
// more than a flag. Not thread-safe.

#include <list>
#include <optional>
#include <utility>

namespace draco::blockstore {

template <class T>
class SieveQueue {
public:
    struct Slot {
        T value;
        bool used = false;
    };

    using Place = typename std::list<Slot>::iterator;

    // As the newest. The place is valid until it is erased.
    Place insert(T value) {
        slots_.push_front({std::move(value)});
        return slots_.begin();
    }

    void erase(Place place) {
        if (hand_ == place) advance();
        slots_.erase(place);
    }

    // The next victim among those that may go: it stays in the queue until it is erased. What may
    // not go is passed over and keeps its flag. O(size) at worst.
    template <class MayGo>
    std::optional<Place> victim(MayGo&& may_go) {
        // The first round may find all used, the second one finds them spared already.
        for (std::size_t steps = 2 * slots_.size(); steps > 0; --steps) {
            if (hand_ == slots_.end()) hand_ = std::prev(slots_.end());
            const Place place = hand_;
            advance();
            if (!may_go(place->value)) continue;
            if (!std::exchange(place->used, false)) return place;
        }
        return std::nullopt;
    }

private:
    void advance() { hand_ = hand_ == slots_.begin() ? slots_.end() : std::prev(hand_); }

    std::list<Slot> slots_;      // newest first
    Place hand_ = slots_.end();  // the next to be looked at; end(): the oldest
};

}  // namespace draco::blockstore
