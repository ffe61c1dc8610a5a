#pragma once
// What an operator decides about a node: config.toml in its home. Each section is a struct, each
// key a member; src/config_keys.cpp lists them with their ranges and comments.
//
// Paths are relative to the home and stay inside it.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/types/transaction.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace draco::node {

inline constexpr std::string_view kConfigFile = "config.toml";
// In the data directory: which nonces the node's key has signed.
inline constexpr std::string_view kSigningJournalFile = "node-transactions";
inline constexpr std::size_t kConfigMistakesTold = 20;
inline constexpr std::size_t kConfigBytesMax = std::size_t{256} << 10;

struct NodeConfig {
    struct Node {
        std::string data_directory = "data";  // state, ledger, consensus log
        std::string genesis_file = "genesis.json";
        // How others reach this node: the host of its registered endpoints.
        std::string advertised_host = "127.0.0.1";

        bool operator==(const Node&) const = default;
    } node;

    struct Keys {
        std::string directory = "keys";
        std::string password_file = "password";

        bool operator==(const Keys&) const = default;
    } keys;

    struct Log {
        std::string directory = "logs";
        std::string level = "info";
        bool json = false;
        std::uint64_t file_bytes_max = std::uint64_t{16} << 20;
        std::uint32_t files_max = 4;

        bool operator==(const Log&) const = default;
    } log;

    struct Links {
        std::string address = "127.0.0.1";
        std::uint16_t port = 4300;
        std::uint32_t guests_max = 64;  // links of peers that take no part yet

        bool operator==(const Links&) const = default;
    } links;

    struct Http {
        std::string address = "127.0.0.1";
        std::uint16_t port = 4220;
        std::uint32_t threads = 2;
        std::uint32_t connections_max = 10'000;
        // What one client address may take for nothing; 0: unbounded.
        std::uint32_t requests_per_s = 100;
        std::uint64_t bytes_per_s = std::uint64_t{16} << 20;

        bool operator==(const Http&) const = default;
    } http;

    struct Session {
        std::string address = "127.0.0.1";
        std::uint16_t port = 4221;
        std::uint32_t sessions_max = 1'000;

        bool operator==(const Session&) const = default;
    } session;

    struct Rpc {
        std::string address = "127.0.0.1";
        std::uint16_t port = 4240;
        std::uint32_t connections_max = 256;
        std::uint32_t requests_per_s = 10'000;  // calls of one client address

        bool operator==(const Rpc&) const = default;
    } rpc;

    struct Consensus {
        std::uint32_t batch_delay_ms = 10;
        std::uint64_t batch_bytes = std::uint64_t{256} << 10;
        std::uint32_t leader_timeout_ms = 200;
        std::uint32_t leader_timeout_max_ms = 3000;
        std::uint32_t retry_ms = 250;
        std::uint32_t retry_max_ms = 4000;
        std::uint32_t request_deadline_ms = 300;
        std::uint64_t own_bytes_max = std::uint64_t{8} << 20;
        std::uint64_t held_bytes_max = std::uint64_t{1} << 30;
        std::uint64_t served_bytes_per_s = std::uint64_t{64} << 20;
        // By index, each as parse_peer_address takes it (peer_address.hpp).
        std::vector<std::string> workers{};

        bool operator==(const Consensus&) const = default;
    } consensus;

    struct Ledger {
        std::uint64_t archive_bytes_max = std::uint64_t{8} << 30;

        bool operator==(const Ledger&) const = default;
    } ledger;

    struct Blockstore {
        std::uint64_t bytes_max = std::uint64_t{64} << 30;
        std::uint64_t objects_max = std::uint64_t{1} << 20;

        bool operator==(const Blockstore&) const = default;
    } blockstore;

    struct State {
        std::string backend = "rocksdb";      // or "memory"
        std::string durability = "buffered";  // "sync", "group", "buffered": atomo::Durability
        std::uint64_t block_cache_bytes = std::uint64_t{64} << 20;
        std::uint64_t page_cache_bytes = std::uint64_t{64} << 20;

        bool operator==(const State&) const = default;
    } state;

    struct Executor {
        std::uint32_t threads = 2;
        std::uint32_t disk_threads = 2;

        bool operator==(const Executor&) const = default;
    } executor;

    bool operator==(const NodeConfig&) const = default;
};

// What is absent keeps its default. Errors name file, line and key, and what is allowed; an unknown
// section or key is refused with the nearest one that there is: InvalidArgument. All that is wrong
// is told (of TOML itself the first thing), a line for each, in the order of the file, up to
// kConfigMistakesTold. `name` is the file as the operator knows it.
Result<NodeConfig> parse_config(std::string_view toml, std::string_view name = kConfigFile);

// All sections and keys with comments; parse_config gives the same config back.
std::string render_config(const NodeConfig& config);

// Of a host, such as advertised_host: a name or an IP address, without a port. InvalidArgument.
Result<> check_host(std::string_view text);

// Where others reach a node of this configuration. InvalidArgument: the host is too long.
Result<types::NodeEndpoints> endpoints_of(const NodeConfig& config);

// config.toml on the disk of the home; `name` as above. NotFound, InvalidArgument, or the disk's
// errors.
Result<NodeConfig> load_config(Disk& home, std::string_view name = kConfigFile);
// Replaces it atomically and durably.
Result<> save_config(Disk& home, const NodeConfig& config);

}  // namespace draco::node
