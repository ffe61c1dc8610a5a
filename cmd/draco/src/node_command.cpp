#include "node_command.hpp"

#include "draco/node/process.hpp"

#include <unistd.h>

namespace draco {

Result<> run_node(const Invocation& invocation, const NodeRunOptions& options) {
    DRACO_TRY(home, home_path(invocation));
    return node::run_process({.home = home,
                              .password_file = options.password_file,
                              .log_to_terminal = !options.quiet && ::isatty(STDERR_FILENO) == 1});
}

}  // namespace draco
