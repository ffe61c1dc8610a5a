#pragma once
// What can be seen of an object from outside, as plain values.

#include "draco/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace draco::affair {

enum class ObjectState {
    Running,
    Restarting,  // it failed; its successor is not there yet. Messages wait
    Stopping,    // accepts nothing more; finishes what it has accepted
    Stopped,
    Failed,  // it failed for good and was escalated
};

std::string_view to_string(ObjectState state);

// A message that an object is occupied with.
struct Occupation {
    enum class Kind {
        Handling,      // its handler has not returned
        HoldingReply,  // its handler has returned and kept the promise of an answer
    };

    Kind kind;
    std::string_view message;    // the message's type
    std::source_location where;  // where it was told or asked
    Duration elapsed;            // since its handler was called
};

// The counters are read one after the other while the object works, so only those of an idle
// object add up:
//     accepted = queued + being handled + handled + lapsed + discarded
struct ObjectSnapshot {
    std::string name;
    ObjectState state = ObjectState::Running;
    std::size_t capacity = 0;
    std::size_t queued = 0;          // accepted, and not yet given to a handler
    std::size_t queued_max = 0;      // high-water mark of `queued`
    std::uint64_t accepted = 0;      // messages taken into the mailbox
    std::uint64_t rejected = 0;      // messages given back to their sender
    std::uint64_t handled = 0;       // handler calls that ended, well or not
    std::uint64_t lapsed = 0;        // asks never handled: their deadline passed in the mailbox
    std::uint64_t discarded = 0;     // messages dropped from the mailbox by a stop
    std::uint64_t expired = 0;       // asks answered DeadlineExceeded (lapsed ones included)
    std::uint64_t late_replies = 0;  // answers dropped because they came after that
    std::uint64_t abandoned = 0;     // asks answered Abandoned
    std::uint64_t failures = 0;
    std::uint64_t restarts = 0;
    std::vector<Occupation> occupations;
};

// One line for people, and one more for each occupation.
std::string describe(const ObjectSnapshot& snapshot);

}  // namespace draco::affair
