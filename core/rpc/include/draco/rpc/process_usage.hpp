#pragma once
// What this process takes of the machine.

#include <cstdint>

namespace draco::rpc {

struct ProcessUsage {
    std::uint64_t rss_bytes = 0;
    std::uint64_t cpu_ms = 0;  // user and system, since the start
    std::uint64_t open_fds = 0;
};

// From /proc/self; what cannot be read is 0. Thread-safe.
ProcessUsage read_process_usage();

}  // namespace draco::rpc
