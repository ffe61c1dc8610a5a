#pragma once
// The node as those see it who run it.

#include "context.hpp"

#include <boost/json/object.hpp>

namespace draco::rpc {

boost::json::object node_status(const Context& context);
Health health_of(const Context& context);
std::string_view role_text(interfaces::ConsensusRole role);

}  // namespace draco::rpc
