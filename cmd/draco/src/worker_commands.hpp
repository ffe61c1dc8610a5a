#pragma once
// draco worker init|show|run: a process that gathers and holds batches for a node.

#include "invocation.hpp"

#include <cstdint>
#include <string>

namespace draco {

inline constexpr std::uint16_t kWorkerLinkPort = 4400;    // of index 0; one more for each next
inline constexpr std::uint16_t kWorkerHealthPort = 4260;  // the same

struct WorkerInitOptions {
    std::string node;  // KEY@HOST:PORT
    std::uint16_t index = 0;
    std::string listen;  // HOST:PORT; empty: this machine alone, on the port of the index
    std::uint16_t health_port = 0;  // 0: that of the index, or with `listen` on port 0 a free one
    std::string genesis_file;
    std::string password_file;
    bool light_keys = false;
};

// A new home: worker.toml, a key with a password file, genesis.json. AlreadyExists if the folder is
// a worker's or a node's home.
Result<> run_worker_init(const Invocation& invocation, const WorkerInitOptions& options);
Result<> run_worker_show(const Invocation& invocation);

struct WorkerRunOptions {
    std::string password_file;
    bool quiet = false;  // nothing on the terminal
};

// In the foreground, until SIGINT or SIGTERM.
Result<> run_worker(const Invocation& invocation, const WorkerRunOptions& options);

}  // namespace draco
