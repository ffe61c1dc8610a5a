#pragma once
// A worker as a process of the operating system: reads its home, gives a WorkerDriver threads, TLS
// links under the worker's own key, and files, runs until a signal or a failure, and ends in order.

#include "draco/base/result.hpp"

#include <string>

namespace draco::node {

struct WorkerProcessOptions {
    std::string home;
    // Absolute, or relative to the working directory; empty: the one that the configuration names.
    std::string password_file{};
    // Messages go there too, whatever it is.
    bool log_to_standard_error = false;
};

// As run_process. NotFound: the home is not a worker's. InvalidArgument: also that the node takes
// this worker for one of another index.
Result<> run_worker_process(const WorkerProcessOptions& options);

}  // namespace draco::node
