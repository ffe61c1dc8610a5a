#pragma once
// The node as those see it who run it.

#include "context.hpp"

#include <boost/json/object.hpp>

namespace draco::rpc {

boost::json::object node_status(const Context& context);
Health health_of(const Context& context);
boost::json::object signer_json(const interfaces::SignerStatus& status);
std::string_view role_text(interfaces::ConsensusRole role);

}  // namespace draco::rpc
