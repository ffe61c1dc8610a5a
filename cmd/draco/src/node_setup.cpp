#include "node_setup.hpp"

#include "draco/crypto/system_rng.hpp"
#include "draco/io/file_descriptor.hpp"

#include "node_home.hpp"
#include "text_file.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace draco {
namespace {

constexpr std::uint32_t kHttpOffset = 20;
constexpr std::uint32_t kSessionOffset = 21;
constexpr std::uint32_t kRpcOffset = 40;
constexpr std::uint32_t kLinkOffset = 100;
constexpr std::uint32_t kPortsPerNode = 1000;
constexpr std::uint16_t kLastingPortsBegin = 10'000;
constexpr std::uint16_t kOutgoingPortsBegin = 32'768;  // Linux, unless it was told otherwise
constexpr int kPortAttempts = 100;

struct HeldPort {
    io::FileDescriptor socket;
    std::uint16_t port = 0;
};

// Where the system takes the ports of outgoing connections from: one of those may be taken while a
// node is not running.
std::uint16_t outgoing_ports_begin() {
    std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
    std::uint16_t begin = 0;
    return range >> begin ? begin : kOutgoingPortsBegin;
}

// Holds `port`; 0: one that the system chooses.
Result<HeldPort> hold_port(std::uint16_t port) {
    HeldPort held{.socket = io::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (held.socket.get() < 0 || ::bind(held.socket.get(), generic, length) != 0 ||
        ::getsockname(held.socket.get(), generic, &length) != 0)
        return fail(Errc::Unavailable,
                    std::string("cannot find a free port: ") + std::strerror(errno));
    held.port = ntohs(address.sin_port);
    return held;
}

Result<HeldPort> hold_lasting_port(crypto::SystemRng& rng) {
    const std::uint16_t end = outgoing_ports_begin();
    if (end > kLastingPortsBegin)
        for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
            const auto offset = rng.below(end - kLastingPortsBegin);
            auto held = hold_port(static_cast<std::uint16_t>(kLastingPortsBegin + offset));
            if (held) return held;
        }
    return hold_port(0);
}

// Only this machine finds itself there.
bool is_loopback(const std::string& host) {
    in_addr parsed{};
    if (::inet_pton(AF_INET, host.c_str(), &parsed) == 1)
        return (ntohl(parsed.s_addr) >> 24U) == 127;
    return host == "::1" || host == "localhost";
}

}  // namespace

NodePorts ports_from(std::uint16_t base, std::size_t index) {
    const auto shift = base + kPortsPerNode * static_cast<std::uint32_t>(index);
    return {.link = shift + kLinkOffset,
            .http = shift + kHttpOffset,
            .session = shift + kSessionOffset,
            .rpc = shift + kRpcOffset};
}

Result<std::vector<NodePorts>> free_ports(std::size_t nodes) {
    // All are held until all are found, so that none is found twice.
    std::vector<HeldPort> held;
    std::vector<NodePorts> ports(nodes);
    crypto::SystemRng rng;
    for (NodePorts& node : ports)
        for (std::uint32_t* port : {&node.link, &node.http, &node.session, &node.rpc}) {
            DRACO_TRY(one, hold_lasting_port(rng));
            *port = one.port;
            held.push_back(std::move(one));
        }
    return ports;
}

Result<std::uint16_t> free_port() {
    crypto::SystemRng rng;
    DRACO_TRY(held, hold_lasting_port(rng));
    return held.port;
}

std::string listen_address_of(const std::string& host) {
    const bool is_ipv6 = host.contains(':');
    if (is_loopback(host)) return is_ipv6 ? "::1" : "127.0.0.1";
    return is_ipv6 ? "::" : "0.0.0.0";
}

Result<> check_port_free(std::uint16_t port, const std::string& whose) {
    const io::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0)
        return fail(Errc::Exhausted, std::string("cannot make a socket: ") + std::strerror(errno));
    // As those who listen there will do it: a connection that has ended is no hindrance.
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket.get(), generic, sizeof address) == 0) return {};
    const std::string number = std::to_string(port);
    if (errno != EADDRINUSE)
        return fail(
            Errc::Unavailable,
            "cannot listen on port " + number + " (" + whose + "): " + std::strerror(errno));
    return fail(Errc::Unavailable,
                "port " + number + " (" + whose +
                    ") is taken by another program, which ss -ltnp 'sport = :" + number +
                    "' names");
}

Result<node::NodeConfig> config_with_ports(const NodePorts& ports, const std::string& host) {
    constexpr std::uint32_t kPortMax = 65'535;
    for (const std::uint32_t port : {ports.link, ports.http, ports.session, ports.rpc})
        if (port > kPortMax)
            return fail(Errc::InvalidArgument,
                        "port " + std::to_string(port) +
                            " is beyond 65535: choose fewer nodes, a lower --port-base, or 0");
    node::NodeConfig config;
    config.node.advertised_host = host;
    if (!is_loopback(host)) {
        const std::string all = listen_address_of(host);
        config.links.address = all;
        config.http.address = all;
        config.session.address = all;
    }
    config.links.port = static_cast<std::uint16_t>(ports.link);
    config.http.port = static_cast<std::uint16_t>(ports.http);
    config.session.port = static_cast<std::uint16_t>(ports.session);
    config.rpc.port = static_cast<std::uint16_t>(ports.rpc);
    // What it writes must be what it reads.
    return node::parse_config(node::render_config(config), "the configuration");
}

Result<types::NodeKey> create_node_home(const std::string& path,
                                        const node::NodeConfig& config,
                                        const std::string& password_file,
                                        bool light_keys) {
    DRACO_TRY(home, NodeHome::create(path));
    const std::string own_password = path + "/" + config.keys.password_file;
    if (password_file.empty() && !path_exists(own_password))
        DRACO_TRY_VOID(create_password_file(own_password));
    DRACO_TRY(password, home.password(password_file));
    DRACO_TRY(keys, home.keys(light_keys));
    const std::string name(identity::kDefaultKeyName);
    crypto::SystemRng rng;
    auto info = keys.generate(identity::KeyKind::Node, name, password, rng);
    if (!info && info.error().code == Errc::AlreadyExists) {
        DRACO_TRY(loaded, keys.load(identity::KeyKind::Node, name, password));
        info = std::move(loaded.info);
    }
    if (!info) return std::unexpected(info.error());
    return std::get<types::NodeKey>(info->id.value());
}

}  // namespace draco
