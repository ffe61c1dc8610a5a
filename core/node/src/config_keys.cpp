#include "config_keys.hpp"

#include "draco/log/log.hpp"
#include "draco/types/transaction.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

namespace draco::node {
namespace {

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr std::size_t kPathBytesMax = 255;

// --- text ---

std::string_view path_objection(std::string_view text) {
    constexpr std::string_view kExpected =
        "a path relative to the home, inside it, such as \"data\"";
    if (text.empty() || text.size() > kPathBytesMax || text.contains('\0')) return kExpected;
    while (true) {
        const auto slash = text.find('/');
        const std::string_view part = text.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return kExpected;
        if (slash == std::string_view::npos) return {};
        text.remove_prefix(slash + 1);
    }
}

// Colons are those of IPv6, never of a port.
bool has_port(std::string_view text) {
    in6_addr parsed{};
    return text.contains(':') && ::inet_pton(AF_INET6, std::string(text).c_str(), &parsed) != 1;
}

// A name or an address; who dials it finds out whether it exists.
std::string_view host_objection(std::string_view text) {
    constexpr std::string_view kExpected = "a host name or an IP address, without a port";
    const auto allowed = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("-._:").contains(c);
    };
    if (text.empty() || text.size() > types::kHostBytesMax || has_port(text)) return kExpected;
    return std::ranges::all_of(text, allowed) ? std::string_view() : kExpected;
}

std::string_view level_objection(std::string_view text) {
    return log::parse_level(text) ? std::string_view() : "trace, debug, info, warn or error";
}

std::string_view backend_objection(std::string_view text) {
    return text == "rocksdb" || text == "memory" ? std::string_view() : "rocksdb or memory";
}

std::string_view durability_objection(std::string_view text) {
    return text == "sync" || text == "group" || text == "buffered" ? std::string_view()
                                                                   : "sync, group or buffered";
}

// --- the sections ---

using Keys = std::vector<ConfigKey>;

void add_node(Keys& keys, NodeConfig::Node& node) {
    keys.push_back({.section = "node",
                    .name = "data_directory",
                    .comment = "State, blocks and the consensus log.",
                    .member = &node.data_directory,
                    .objection = path_objection});
    keys.push_back({.section = "node",
                    .name = "genesis_file",
                    .comment = "How the chain began; the same file on all of its nodes.",
                    .member = &node.genesis_file,
                    .objection = path_objection});
    keys.push_back({.section = "node",
                    .name = "advertised_host",
                    .comment = "The host at which others reach this node.",
                    .member = &node.advertised_host,
                    .objection = host_objection});
}

void add_keys(Keys& keys, NodeConfig::Keys& section) {
    keys.push_back({.section = "keys",
                    .name = "directory",
                    .comment = "The encrypted keys.",
                    .member = &section.directory,
                    .objection = path_objection});
    keys.push_back({.section = "keys",
                    .name = "password_file",
                    .comment = "Its first line opens them. Mode 0600.",
                    .member = &section.password_file,
                    .objection = path_objection});
}

void add_log(Keys& keys, NodeConfig::Log& log) {
    keys.push_back({.section = "log",
                    .name = "directory",
                    .comment = "Of draco.log and the files before it.",
                    .member = &log.directory,
                    .objection = path_objection});
    keys.push_back({.section = "log",
                    .name = "level",
                    .comment = "trace, debug, info, warn or error.",
                    .member = &log.level,
                    .objection = level_objection});
    keys.push_back({.section = "log",
                    .name = "json",
                    .comment = "One JSON object per line instead of text.",
                    .member = &log.json});
    keys.push_back({.section = "log",
                    .name = "file_bytes_max",
                    .comment = "A file that would grow beyond is followed by the next.",
                    .member = &log.file_bytes_max,
                    .min = 64 * kKiB,
                    .max = kGiB});
    keys.push_back({.section = "log",
                    .name = "files_max",
                    .comment = "Files that are kept, with the one being written.",
                    .member = &log.files_max,
                    .min = 1,
                    .max = 1000});
}

void add_listener(Keys& keys,
                  std::string_view section,
                  std::string_view port_comment,
                  std::string& address,
                  std::uint16_t& port) {
    keys.push_back({.section = section,
                    .name = "address",
                    .comment = "The address to listen on; 0.0.0.0 is all of this machine's.",
                    .member = &address,
                    .objection = host_objection});
    keys.push_back({.section = section,
                    .name = "port",
                    .comment = port_comment,
                    .member = &port,
                    .min = 1,
                    .max = 65'535});
}

void add_http(Keys& keys, NodeConfig::Http& http) {
    add_listener(keys, "http", "TCP.", http.address, http.port);
    keys.push_back({.section = "http",
                    .name = "threads",
                    .comment = "Each with its own connections; one per processor is enough.",
                    .member = &http.threads,
                    .min = 1,
                    .max = 256});
    keys.push_back({.section = "http",
                    .name = "connections_max",
                    .comment = "Clients that are connected at a time.",
                    .member = &http.connections_max,
                    .min = 1,
                    .max = 1'000'000});
    keys.push_back({.section = "http",
                    .name = "requests_per_s",
                    .comment = "Of one client address, for nothing; 0 is without bound.",
                    .member = &http.requests_per_s,
                    .min = 0,
                    .max = 1'000'000});
    keys.push_back({.section = "http",
                    .name = "bytes_per_s",
                    .comment = "To one client address, for nothing; 0 is without bound.",
                    .member = &http.bytes_per_s,
                    .min = 0,
                    .max = kTiB});
}

void add_network(Keys& keys, NodeConfig& config) {
    add_listener(keys, "links", "TCP.", config.links.address, config.links.port);
    keys.push_back({.section = "links",
                    .name = "guests_max",
                    .comment = "Links of peers that do not take part in the network yet.",
                    .member = &config.links.guests_max,
                    .min = 1,
                    .max = 4096});
    add_http(keys, config.http);
    add_listener(keys, "session", "TCP, TLS 1.3.", config.session.address, config.session.port);
    keys.push_back({.section = "session",
                    .name = "sessions_max",
                    .comment = "Sessions that are open at a time.",
                    .member = &config.session.sessions_max,
                    .min = 1,
                    .max = 65'536});
    add_listener(
        keys, "rpc", "TCP: /rpc/v0, /health, /metrics.", config.rpc.address, config.rpc.port);
    keys.push_back({.section = "rpc",
                    .name = "connections_max",
                    .comment = "Clients that are connected at a time.",
                    .member = &config.rpc.connections_max,
                    .min = 1,
                    .max = 65'536});
    keys.push_back({.section = "rpc",
                    .name = "requests_per_s",
                    .comment = "Calls of one client address; beyond, it is told to slow down.",
                    .member = &config.rpc.requests_per_s,
                    .min = 1,
                    .max = 1'000'000});
}

void add_milliseconds(Keys& keys,
                      std::string_view name,
                      std::string_view comment,
                      std::uint32_t& value,
                      std::uint64_t max) {
    keys.push_back({.section = "consensus",
                    .name = name,
                    .comment = comment,
                    .member = &value,
                    .min = 1,
                    .max = max});
}

void add_consensus(Keys& keys, NodeConfig::Consensus& consensus) {
    add_milliseconds(keys,
                     "batch_delay_ms",
                     "Transactions wait this long for others to share a batch with.",
                     consensus.batch_delay_ms,
                     10'000);
    keys.push_back({.section = "consensus",
                    .name = "batch_bytes",
                    .comment = "A batch of this size does not wait.",
                    .member = &consensus.batch_bytes,
                    .min = 4 * kKiB,
                    .max = kMiB});
    add_milliseconds(keys,
                     "leader_timeout_ms",
                     "How long a round waits for its leader; doubles while nothing commits.",
                     consensus.leader_timeout_ms,
                     60'000);
    add_milliseconds(
        keys, "leader_timeout_max_ms", "Up to this.", consensus.leader_timeout_max_ms, 60'000);
    add_milliseconds(keys,
                     "retry_ms",
                     "Without progress, what may be lost is sent again; doubles each time.",
                     consensus.retry_ms,
                     60'000);
    add_milliseconds(keys, "retry_max_ms", "Up to this.", consensus.retry_max_ms, 60'000);
    add_milliseconds(keys,
                     "request_deadline_ms",
                     "A peer that has not answered by then is passed over.",
                     consensus.request_deadline_ms,
                     60'000);
    keys.push_back({.section = "consensus",
                    .name = "own_bytes_max",
                    .comment = "Own transactions that are not executed yet; beyond: busy.",
                    .member = &consensus.own_bytes_max,
                    .min = kMiB,
                    .max = 4 * kGiB});
    keys.push_back({.section = "consensus",
                    .name = "held_bytes_max",
                    .comment = "Batches of all members in memory and not executed yet.",
                    .member = &consensus.held_bytes_max,
                    .min = 16 * kMiB,
                    .max = 64 * kGiB});
    keys.push_back({.section = "consensus",
                    .name = "served_bytes_per_s",
                    .comment = "To one peer that asks for what it missed.",
                    .member = &consensus.served_bytes_per_s,
                    .min = kMiB,
                    .max = 64 * kGiB});
}

void add_storage(Keys& keys, NodeConfig& config) {
    keys.push_back({.section = "ledger",
                    .name = "archive_bytes_max",
                    .comment = "Blocks that are kept for those who follow; the oldest go first.",
                    .member = &config.ledger.archive_bytes_max,
                    .min = 64 * kMiB,
                    .max = 1024 * kTiB});
    keys.push_back({.section = "blockstore",
                    .name = "bytes_max",
                    .comment = "Content on this disk; beyond, what is not pinned makes room.",
                    .member = &config.blockstore.bytes_max,
                    .min = 64 * kMiB,
                    .max = 1024 * kTiB});
    keys.push_back({.section = "blockstore",
                    .name = "objects_max",
                    .comment = "Files and directories; each takes about 300 bytes of memory.",
                    .member = &config.blockstore.objects_max,
                    .min = 1'000,
                    .max = 1'000'000'000});
    keys.push_back({.section = "state",
                    .name = "backend",
                    .comment = "rocksdb, or memory: executed again from the blocks at each start.",
                    .member = &config.state.backend,
                    .objection = backend_objection});
    keys.push_back({.section = "state",
                    .name = "durability",
                    .comment = "What waits for the disk: sync (each block), group (each 64th) or\n"
                               "buffered (none: blocks are durable before they are executed).",
                    .member = &config.state.durability,
                    .objection = durability_objection});
    keys.push_back({.section = "state",
                    .name = "block_cache_bytes",
                    .comment = "Of rocksdb.",
                    .member = &config.state.block_cache_bytes,
                    .min = kMiB,
                    .max = kTiB});
    keys.push_back({.section = "state",
                    .name = "page_cache_bytes",
                    .comment = "Of the state tree; about 100 bytes per account keep it in memory.",
                    .member = &config.state.page_cache_bytes,
                    .min = kMiB,
                    .max = kTiB});
    keys.push_back({.section = "executor",
                    .name = "threads",
                    .comment = "That run the node's components.",
                    .member = &config.executor.threads,
                    .min = 1,
                    .max = 256});
    keys.push_back({.section = "executor",
                    .name = "disk_threads",
                    .comment = "That wait for the disk where content is read and written.",
                    .member = &config.executor.disk_threads,
                    .min = 1,
                    .max = 256});
}

std::optional<Contradiction> shared_port(const NodeConfig& config) {
    struct Listener {
        std::uint16_t port;
        std::string_view section;
    };

    std::array<Listener, 4> listeners = {{{config.links.port, "links"},
                                          {config.http.port, "http"},
                                          {config.session.port, "session"},
                                          {config.rpc.port, "rpc"}}};
    std::ranges::sort(listeners, {}, &Listener::port);
    const auto twice = std::ranges::adjacent_find(listeners, {}, &Listener::port);
    if (twice == listeners.end()) return std::nullopt;
    const auto other = std::next(twice);
    return Contradiction{.keys = {{{twice->section, "port"}, {other->section, "port"}}},
                         .what = "[" + std::string(twice->section) + "] and [" +
                                 std::string(other->section) + "] have the same port " +
                                 std::to_string(twice->port)};
}

}  // namespace

const std::vector<ConfigSection>& config_sections() {
    static const std::vector<ConfigSection> kSections = {
        {.name = "node", .comment = "Where the node keeps things, and where it is found."},
        {.name = "keys", .comment = "Who the node is."},
        {.name = "log", .comment = "What it tells those who run it."},
        {.name = "links", .comment = "Between nodes: TLS 1.3, both sides proven by their keys."},
        {.name = "http", .comment = "Content for everybody."},
        {.name = "session", .comment = "Sessions of paying clients."},
        {.name = "rpc", .comment = "JSON-RPC, health and metrics."},
        {.name = "consensus", .comment = "How this node takes part in ordering transactions."},
        {.name = "ledger", .comment = "The blocks."},
        {.name = "blockstore", .comment = "The content."},
        {.name = "state", .comment = "What the blocks led to."},
        {.name = "executor", .comment = "Threads."},
    };
    return kSections;
}

std::vector<ConfigKey> config_keys(NodeConfig& config) {
    Keys keys;
    add_node(keys, config.node);
    add_keys(keys, config.keys);
    add_log(keys, config.log);
    add_network(keys, config);
    add_consensus(keys, config.consensus);
    add_storage(keys, config);
    return keys;
}

std::vector<Contradiction> contradictions(const NodeConfig& config) {
    std::vector<Contradiction> found;
    const auto& consensus = config.consensus;
    if (consensus.leader_timeout_ms > consensus.leader_timeout_max_ms)
        found.push_back(
            {.keys = {{{"consensus", "leader_timeout_ms"}, {"consensus", "leader_timeout_max_ms"}}},
             .what = "[consensus] leader_timeout_ms is more than leader_timeout_max_ms"});
    if (consensus.retry_ms > consensus.retry_max_ms)
        found.push_back({.keys = {{{"consensus", "retry_ms"}, {"consensus", "retry_max_ms"}}},
                         .what = "[consensus] retry_ms is more than retry_max_ms"});
    if (auto shared = shared_port(config)) found.push_back(*std::move(shared));
    return found;
}

Result<> check_host(std::string_view text) {
    const std::string_view objection = host_objection(text);
    if (objection.empty()) return {};
    return fail(Errc::InvalidArgument,
                "\"" + std::string(text) + "\" is not " + std::string(objection));
}

}  // namespace draco::node
