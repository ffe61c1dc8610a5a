#pragma once
// draco devnet up|down|status and what is done to single nodes of one.

#include "devnet.hpp"
#include "invocation.hpp"

#include <cstdint>
#include <string>

namespace draco {

struct DevnetOptions {
    DevnetShape shape;
    std::string demo_folder;  // empty: no demonstration
    bool detach = false;
    std::uint64_t patience_s = 60;
    std::size_t index = 0;
};

// --home, or devnet/ in the default home.
Result<std::string> devnet_home(const Invocation& invocation);

// In the foreground: until SIGINT or SIGTERM, with a line for each epoch.
Result<> run_devnet_up(const Invocation& invocation, const DevnetOptions& options);
Result<> run_devnet_down(const Invocation& invocation);
Result<> run_devnet_status(const Invocation& invocation);
Result<> run_devnet_start_node(const Invocation& invocation, const DevnetOptions& options);
Result<> run_devnet_stop_node(const Invocation& invocation, const DevnetOptions& options);
Result<> run_devnet_kill_node(const Invocation& invocation, const DevnetOptions& options);
Result<> run_devnet_add_node(const Invocation& invocation);

}  // namespace draco
