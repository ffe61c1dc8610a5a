#pragma once
// The events to come, earliest first: a 4-ary heap of small keys over a slab of events. Adding and
// taking cost O(log n); removing costs O(1) now and its key's share of a later sweep, so that
// timers which are always reset leave nothing behind.

#include "draco/base/executor.hpp"
#include "draco/base/transport.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace draco::simulon {

enum class EventKind : std::uint8_t { Task, Message, LinkUp, LinkDown, Script };

struct Event {
    EventKind kind = EventKind::Script;
    Channel channel = Channel::Consensus;
    std::uint32_t node = 0;
    std::uint32_t peer = 0;
    std::uint32_t epoch = 0;  // of the link for a message, else of the node: others are stale
    Instant due = {};         // set by the queue
    Executor::Task task = {};
    Bytes message = {};
};

class EventQueue {
public:
    // Events run by time, then in the order of these calls. Never returns the id 0.
    TimerId add(Instant due, Event event);
    // The task of this id if it is still to come and belongs to `node`.
    std::optional<Event> remove_task(TimerId id, std::uint32_t node);
    // All tasks of a node.
    std::vector<Event> remove_tasks(std::uint32_t node);

    bool empty() const { return heap_.empty(); }

    // Preconditions: not empty. The first event, when it runs, and taking it out.
    const Event& first() const { return slots_[heap_.front().slot].event; }

    Instant first_time() const { return heap_.front().run_at; }

    Event take_first();
    // The first event runs later, still before events that were due after it.
    void defer_first(Instant run_at);

private:
    struct Key {
        Instant run_at;
        Instant due;
        std::uint64_t order;
        std::uint32_t slot;
        std::uint32_t generation;

        friend bool operator<(const Key& a, const Key& b) {
            if (a.run_at != b.run_at) return a.run_at < b.run_at;
            if (a.due != b.due) return a.due < b.due;
            return a.order < b.order;
        }
    };

    struct Slot {
        Event event;
        std::uint32_t generation = 1;
        bool taken = false;
    };

    Event free_slot(std::uint32_t index);
    void sift_up(std::size_t at);
    void sift_down(std::size_t at);
    void pop_key();
    // Restores the invariant that the first key is not of a removed event, and sweeps when half of
    // all keys are.
    void drop_removed();

    bool is_removed(const Key& key) const { return slots_[key.slot].generation != key.generation; }

    std::vector<Key> heap_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::uint64_t next_order_ = 0;
    std::size_t removed_ = 0;
};

}  // namespace draco::simulon
