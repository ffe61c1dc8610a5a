#include "config_keys.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/consensus/worker_message.hpp"
#include "draco/node/peer_address.hpp"

#include "shared_keys.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace draco::node {
namespace {

// --- text ---

std::string_view backend_objection(std::string_view text) {
    return text == "rocksdb" || text == "memory" ? std::string_view() : "rocksdb or memory";
}

std::string_view durability_objection(std::string_view text) {
    return text == "sync" || text == "group" || text == "buffered" ? std::string_view()
                                                                   : "sync, group or buffered";
}

// --- the sections ---

void add_node(ConfigKeys& keys, NodeConfig::Node& node) {
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

void add_http(ConfigKeys& keys, NodeConfig::Http& http) {
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

void add_network(ConfigKeys& keys, NodeConfig& config) {
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

void add_leader(ConfigKeys& keys, NodeConfig::Consensus& consensus) {
    add_milliseconds(keys,
                     "leader_timeout_ms",
                     "How long a round waits for its leader; doubles while nothing commits.",
                     consensus.leader_timeout_ms,
                     60'000);
    add_milliseconds(
        keys, "leader_timeout_max_ms", "Up to this.", consensus.leader_timeout_max_ms, 60'000);
}

void add_consensus(ConfigKeys& keys, NodeConfig::Consensus& consensus) {
    add_batching(keys, consensus);
    add_leader(keys, consensus);
    add_exchange(keys, consensus);
    keys.push_back({.section = "consensus",
                    .name = "workers",
                    .comment =
                        "Worker processes of this node, by index: \"KEY@HOST:PORT\" of each, as\n"
                        "draco worker init prints it. All members need the same number.",
                    .member = &consensus.workers,
                    .max = consensus::kWorkersMax,
                    .objection = peer_objection});
}

void add_storage(ConfigKeys& keys, NodeConfig& config) {
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

std::optional<Contradiction> worker_named_twice(const NodeConfig::Consensus& consensus) {
    std::set<types::NodeKey> keys;
    for (const std::string& text : consensus.workers) {
        const auto worker = parse_peer_address(text);
        if (!worker || keys.insert(worker->key).second) continue;
        return Contradiction{.keys = {{{"consensus", "workers"}, {"consensus", "workers"}}},
                             .what = "[consensus] workers names the key " +
                                     to_base58(worker->key.view()) +
                                     " twice: each worker has a home and a key of its own"};
    }
    return std::nullopt;
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
    ConfigKeys keys;
    add_node(keys, config.node);
    add_key_files(keys, config.keys);
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
    find_retry_contradiction(found, consensus);
    if (auto twice = worker_named_twice(consensus)) found.push_back(*std::move(twice));
    if (auto shared = shared_port(config)) found.push_back(*std::move(shared));
    return found;
}

}  // namespace draco::node
