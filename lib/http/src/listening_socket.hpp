#pragma once
// Listening sockets that share a port.

#include "draco/base/result.hpp"
#include "draco/http/engine.hpp"
#include "draco/http/peer.hpp"
#include "draco/io/file_descriptor.hpp"

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace draco::http {

// `count` sockets on one port, which do not block. No other program listens on that port: sharing
// is for these alone. Errors as Engine::start.
Result<std::vector<io::FileDescriptor>> listen_on(const std::string& address,
                                                  std::uint16_t port,
                                                  std::size_t count);

std::uint16_t local_port(const io::FileDescriptor& socket);

Peer peer_of(const sockaddr_storage& address);

}  // namespace draco::http
