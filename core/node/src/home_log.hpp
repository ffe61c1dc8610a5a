#pragma once
// The log of a process in its home, and on standard error if that is wanted.

#include "draco/base/disk.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/log/rotating_log.hpp"
#include "draco/log/sinks.hpp"
#include "draco/node/config.hpp"

#include <memory>

namespace draco::node {

class HomeLog {
public:
    // Both outlive it. Errors: InvalidArgument (no such level), the disk's.
    static Result<std::unique_ptr<HomeLog>> open(Disk& home,
                                                 Executor& executor,
                                                 const NodeConfig::Log& config,
                                                 bool to_standard_error);

    log::Log& get() { return *both_; }

private:
    HomeLog() = default;

    std::unique_ptr<log::RotatingLog> file_;
    std::unique_ptr<log::TerminalLog> standard_error_;
    std::unique_ptr<log::TeeLog> both_;
};

}  // namespace draco::node
