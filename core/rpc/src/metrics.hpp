#pragma once
// The node's figures for Prometheus, read from the status of its parts when asked for.

#include "context.hpp"

#include <string>

namespace draco::rpc {

std::string metrics_text(const Context& context);

}  // namespace draco::rpc
