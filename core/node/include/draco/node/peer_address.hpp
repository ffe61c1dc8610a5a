#pragma once
// Who is where, as operators write it: KEY@HOST:PORT. The key in base58, or in hex; an IPv6 address
// in brackets.

#include "draco/base/result.hpp"
#include "draco/interfaces/links.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace draco::node {

struct HostAndPort {
    std::string host;  // an IPv6 address without brackets
    std::uint16_t port = 0;

    bool operator==(const HostAndPort&) const = default;
};

// All errors are InvalidArgument, with what is expected.

// In base58 or hex, of 32 bytes that are a key of prime order.
Result<types::NodeKey> parse_sound_node_key(std::string_view text);
// Port 0 is one that somebody is to choose.
Result<HostAndPort> parse_host_and_port(std::string_view text);
// From port 1 on.
Result<interfaces::PeerAddress> parse_peer_address(std::string_view text);
Result<std::vector<interfaces::PeerAddress>> parse_peer_addresses(
    std::span<const std::string> texts);

// What the parsers give back.
std::string to_text(const HostAndPort& place);
std::string to_text(const interfaces::PeerAddress& peer);

}  // namespace draco::node
