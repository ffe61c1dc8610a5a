#pragma once
// Programs that this one starts, watches and ends.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/child_process/child_process.hpp"

#include "devnet_record.hpp"

#include <string>
#include <vector>

namespace draco {

// This program again, with these arguments; standard output and error are appended to `output`.
// Keyboard signals of the terminal do not reach it.
Result<ProcessMark> start_logged(const std::vector<std::string>& arguments,
                                 const std::string& output,
                                 child_process::Lifetime lifetime);

// Whether the very process still runs. Takes the exit status of own children that have ended.
bool is_running(const ProcessMark& process);

// SIGTERM to all; SIGKILL, with a line on standard error for each, to those that run on after
// `patience`.
void end_processes(const std::vector<ProcessMark>& processes, Duration patience);

struct ProcessLoad {
    double rss_mb = 0;
    double cpu_s = 0;  // since its start
};

// Of a running process, from /proc.
Result<ProcessLoad> load_of(const ProcessMark& process);

}  // namespace draco
