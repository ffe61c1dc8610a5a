#include "node_command.hpp"

#include "draco/node/process.hpp"

namespace draco {

Result<> run_node(const Invocation& invocation, const NodeRunOptions& options) {
    DRACO_TRY(home, home_path(invocation));
    return node::run_process({.home = home,
                              .password_file = options.password_file,
                              .log_to_standard_error = !options.quiet});
}

}  // namespace draco
