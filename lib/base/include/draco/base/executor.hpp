#pragma once
// Where tasks run, as a capability: a thread pool with timers in a node (lib/io), an event queue in
// virtual time in a simulation (lib/simulon).

#include "draco/base/clock.hpp"
#include "draco/base/strong_id.hpp"

#include <cstdint>
#include <functional>

namespace draco {

struct TimerIdTag;
using TimerId = StrongId<TimerIdTag, std::uint64_t>;

// Thread-safe. A task runs at most once and never inside the call that submits it. Two tasks may
// run at the same time; who needs order serialises them itself (lib/affair does). Tasks must not
// throw. After the executor has begun to stop, tasks it still holds are destroyed without being
// run, and new ones are destroyed at once.
//
// A task's destructor may call the executor (post, post_at, cancel) wherever it runs: after the
// task, inside cancel(), inside a call that refuses the task, and while the executor stops, when
// cancel() answers false.
class Executor {
public:
    using Task = std::move_only_function<void()>;

    virtual ~Executor() = default;
    virtual void post(Task task) = 0;
    // Runs the task at or soon after `when`; a time in the past counts as the time of the call.
    // Timers that are due run in the order of their times, and of their creation where these are
    // equal.
    virtual TimerId post_at(Instant when, Task task) = 0;
    // True if the timer was still pending and its task will not run (it is destroyed by this call).
    virtual bool cancel(TimerId timer) = 0;
    virtual const Clock& clock() const = 0;

    // Of any length: `when` saturates at the end of the time line.
    TimerId post_after(Duration delay, Task task) {
        return post_at(clock().now() + delay, std::move(task));
    }
};

}  // namespace draco
