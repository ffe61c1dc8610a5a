#pragma once
// Waiting for the end: a signal from outside, or a failure from inside.

#include "draco/base/result.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace draco::node {

// Takes over SIGINT and SIGTERM for the process, and ignores SIGPIPE. Make it on the first thread
// before any other is started, so that all inherit the mask; one per process.
class Signals {
public:
    Signals();

    // Thread-safe. The first call counts.
    void fail_with(Error error);

    // Returns at the first signal (success) or failure.
    Result<> wait();

private:
    std::mutex mutex_;
    std::optional<Error> failure_;
};

}  // namespace draco::node
