#pragma once
// The content delivery service: files and directories by their BLAKE3 address, as web pages,
// browsers and curl read them.
//
//     GET|HEAD /blake3/<64 hex digits>[/path]      below the root of service 0
//
// docs/formats/gateway.md is the contract with clients.

#include "draco/sdk/service.hpp"

#include <memory>

namespace draco::cdn {

inline constexpr types::ServiceId kServiceId{0};

// Without state of its own: a request needs only its host.
std::unique_ptr<sdk::Service> make_service();

}  // namespace draco::cdn
