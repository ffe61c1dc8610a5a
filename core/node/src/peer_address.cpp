#include "draco/node/peer_address.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ed25519.hpp"
#include "draco/node/config.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace draco::node {
namespace {

std::unexpected<Error> not_an_address(std::string_view text, std::string_view expected) {
    constexpr std::size_t kShownBytesMax = 128;
    return fail(
        Errc::InvalidArgument,
        "\"" + std::string(text.substr(0, kShownBytesMax)) + "\" is not " + std::string(expected));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

// Without its brackets, which an IPv6 address must have and nothing else may.
std::optional<std::string_view> unbracketed(std::string_view host) {
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != host.contains(':')) return std::nullopt;
    return host;
}

}  // namespace

Result<types::NodeKey> parse_sound_node_key(std::string_view text) {
    constexpr std::string_view kExpected = "a node key in base58 or hex, as draco keys show has it";
    types::NodeKey key;
    if (const auto hex =
            fixed_from_hex<types::NodeKey>(text.substr(text.starts_with("0x") ? 2 : 0))) {
        key = *hex;
    } else {
        const auto bytes = from_base58(text, types::NodeKey::kSize);
        if (!bytes || bytes->size() != types::NodeKey::kSize)
            return not_an_address(text, kExpected);
        std::ranges::copy(*bytes, key.bytes.begin());
    }
    if (!crypto::check_public_key(key))
        return not_an_address(text, "the key of any node: nobody can sign for it");
    return key;
}

Result<HostAndPort> parse_host_and_port(std::string_view text) {
    constexpr std::string_view kExpected =
        "HOST:PORT, such as node.example.org:4400 or [2001:db8::1]:4400";
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return not_an_address(text, kExpected);
    const auto port = parse_port(text.substr(colon + 1));
    const auto host = unbracketed(text.substr(0, colon));
    if (!port || !host || !check_host(*host)) return not_an_address(text, kExpected);
    return HostAndPort{.host = std::string(*host), .port = *port};
}

Result<interfaces::PeerAddress> parse_peer_address(std::string_view text) {
    const auto at = text.find('@');
    if (at == std::string_view::npos)
        return not_an_address(text, "KEY@HOST:PORT: a node key, and where it is");
    DRACO_TRY(key, parse_sound_node_key(text.substr(0, at)));
    DRACO_TRY(place, parse_host_and_port(text.substr(at + 1)));
    if (place.port == 0) return not_an_address(text, "KEY@HOST:PORT with a port from 1 to 65535");
    return interfaces::PeerAddress{.key = key, .host = std::move(place.host), .port = place.port};
}

Result<std::vector<interfaces::PeerAddress>> parse_peer_addresses(
    std::span<const std::string> texts) {
    std::vector<interfaces::PeerAddress> peers;
    peers.reserve(texts.size());
    for (const std::string& text : texts) {
        DRACO_TRY(peer, parse_peer_address(text));
        peers.push_back(std::move(peer));
    }
    return peers;
}

std::string to_text(const HostAndPort& place) {
    const bool is_ipv6 = place.host.contains(':');
    return (is_ipv6 ? "[" + place.host + "]" : place.host) + ":" + std::to_string(place.port);
}

std::string to_text(const interfaces::PeerAddress& peer) {
    return to_base58(peer.key.view()) + "@" + to_text(HostAndPort{peer.host, peer.port});
}

}  // namespace draco::node
