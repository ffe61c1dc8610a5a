#pragma once
// Load on an HTTP server over kept connections, and what it costs the server's process.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace draco::http::bench {

// Sends `requests` GETs over `connections` connections, one at a time on each, and reads every
// answer whole. Answers to one target must have one length. Aborts on failure.
void load(std::uint16_t port, const std::string& target, int connections, int requests);

// CPU time of a process, its threads and its children so far.
double cpu_ns(pid_t process);

// A port that was free just now.
std::uint16_t free_port();

// Blocks until the port is listened on.
void wait_for_listener(std::uint16_t port);

[[noreturn]] void give_up(const char* what);

}  // namespace draco::http::bench
