#pragma once
// A node as a process of the operating system: reads its home, gives Node threads, TLS links, files
// and an RPC server, runs until a signal or a failure, and ends in order.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"

#include <string>

namespace draco::node {

struct ProcessOptions {
    std::string home;
    // Absolute, or relative to the working directory; empty: the one that the configuration names.
    std::string password_file{};
    // Messages go there too, whatever it is.
    bool log_to_standard_error = false;
    Duration stop_deadline = std::chrono::seconds(10);
};

// Blocks until SIGINT or SIGTERM (success) or a failure that ends the node (its error). Takes over
// the handling of both signals and of SIGPIPE for the whole process; call it on the first thread,
// before others are started. Errors say what to do: Unavailable: another process runs in this home.
Result<> run_process(const ProcessOptions& options);

}  // namespace draco::node
