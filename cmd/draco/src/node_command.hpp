#pragma once
// draco node run: one node, in the foreground, until SIGINT or SIGTERM.

#include "invocation.hpp"

#include <string>

namespace draco {

struct NodeRunOptions {
    std::string password_file;
    bool quiet = false;  // nothing on the terminal
};

Result<> run_node(const Invocation& invocation, const NodeRunOptions& options);

}  // namespace draco
