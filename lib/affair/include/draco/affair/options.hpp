#pragma once
// How an object is kept: the size of its mailbox, what happens when it fails, how it is stopped.

#include "draco/affair/snapshot.hpp"
#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace draco::affair {

// An object that fails is destroyed, and after a pause its factory is called again: the pause is
// backoff_first after the first failure and doubles, up to backoff_max, with every restart inside
// the window. Messages that wait survive; the one being handled is answered Abandoned. A failure
// after restarts_max restarts inside the window is escalated: the object ends for good (what waits
// is discarded) and the registry's EscalationHandler is called.
struct Supervision {
    std::uint32_t restarts_max = 0;  // 0: the first failure is escalated
    Duration window = std::chrono::minutes(1);
    Duration backoff_first = std::chrono::milliseconds(100);
    Duration backoff_max = std::chrono::seconds(10);
};

struct ObjectOptions {
    std::string name;      // unique in its registry
    std::size_t capacity;  // messages that may wait; the one being handled does not count. > 0
    std::size_t turns_max = 64;  // continuations (Self::in_turn) that may be outstanding
    Supervision supervision = {};
};

// How many messages a concurrent object works on at once. One whose reply is held still counts.
struct InFlightMax {
    std::size_t messages;  // > 0
};

enum class StopPolicy {
    Drain,    // handles every accepted message and waits for held replies
    Discard,  // drops what waits (asks are answered Abandoned); handlers that run finish
};

// The objects that had not ended at the deadline, as they were then. Empty: a clean stop.
struct StopReport {
    std::vector<ObjectSnapshot> unfinished;
};

struct Escalation {
    std::string name;  // of the object
    Error error;       // of its last failure
};

// Called as a task of its own, once for each object that fails for good.
using EscalationHandler = std::move_only_function<void(const Escalation&)>;

}  // namespace draco::affair
