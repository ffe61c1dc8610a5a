#pragma once
// This program again, as another process. Linux.
//
// Thread-safe; other threads may run. Who starts a child waits for it (waitpid(2)), or it stays a
// zombie until its parent ends.

#include "draco/base/result.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace draco::child_process {

enum class Lifetime : std::uint8_t {
    KilledWithParent,  // SIGKILL when the thread that started it ends, however it does
    EndedWithParent,   // SIGTERM then; the terminal's keyboard signals do not reach it
    OfItsOwn,          // in a session of its own
};

// Descriptors that become the child's standard ones; they stay the caller's.
struct Streams {
    int input = -1;
    int output = -1;
    int errors = -1;
};

// Runs /proc/self/exe with these arguments; its own name is "draco". Signals that are blocked here
// are not blocked there; all descriptors without FD_CLOEXEC are there too. Exhausted: the system
// has no room for a process. A child that cannot run exits with 127.
Result<pid_t> start_self(const std::vector<std::string>& arguments,
                         const Streams& streams,
                         Lifetime lifetime);

// What proc(5) says in /proc/PID/stat.
struct ProcessStat {
    char state = 'Z';  // Z: it has ended, and nobody has waited for it
    double cpu_s = 0;  // of all its threads, since its start
    std::uint64_t started_ticks =
        0;  // since the machine's start: tells processes of one number apart
    std::uint64_t rss_bytes = 0;
};

// Nothing: there is no such process.
std::optional<ProcessStat> read_stat(pid_t pid);

}  // namespace draco::child_process
