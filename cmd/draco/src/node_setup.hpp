#pragma once
// Making homes of nodes.

#include "draco/base/result.hpp"
#include "draco/node/config.hpp"
#include "draco/types/transaction.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco {

struct NodePorts {
    std::uint32_t link = 0;
    std::uint32_t http = 0;
    std::uint32_t session = 0;
    std::uint32_t rpc = 0;
};

inline constexpr std::uint16_t kPortBase = 4200;

// Of node `index`: 4300, 4220, 4221 and 4240 for the base 4200, and 1000 more for each node before
// it.
NodePorts ports_from(std::uint16_t base, std::size_t index);

// Ports that nobody on this machine listens on now, and that it gives to no outgoing connection
// while the nodes are stopped, as far as it has such.
Result<std::vector<NodePorts>> free_ports(std::size_t nodes);

// One such port.
Result<std::uint16_t> free_port();

// The address to listen on for who is reached by `host`: all of this machine's, unless only this
// machine finds itself there.
std::string listen_address_of(const std::string& host);

// Whether a program listens there already: Unavailable, with what to do. `whose` names the port, as
// in "rpc of node 2".
Result<> check_port_free(std::uint16_t port, const std::string& whose);

// Links, content and sessions listen on all addresses where `host` is not this machine's alone;
// RPC never does. InvalidArgument if a port is beyond 65535.
Result<node::NodeConfig> config_with_ports(const NodePorts& ports, const std::string& host);

// The folder, a password file (of its own if none is given), and the node key "default". Does not
// write the configuration.
Result<types::NodeKey> create_node_home(const std::string& path,
                                        const node::NodeConfig& config,
                                        const std::string& password_file,
                                        bool light_keys);

}  // namespace draco
