#pragma once
// What an operator decides about a worker process: worker.toml in its home. As config.hpp; where a
// section is called as one of a node's, it means the same.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/node/config.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace draco::node {

inline constexpr std::string_view kWorkerConfigFile = "worker.toml";

struct WorkerConfig {
    struct Worker {
        std::string node;         // KEY@HOST:PORT of its node's links; it has no default
        std::uint16_t index = 0;  // its place in the node's [consensus] workers
        std::string data_directory = "data";  // of the log
        std::string genesis_file = "genesis.json";
        // How its node and the other members' workers reach it.
        std::string advertised_host = "127.0.0.1";

        bool operator==(const Worker&) const = default;
    } worker;

    NodeConfig::Keys keys;
    NodeConfig::Log log;
    NodeConfig::Links links{.address = "127.0.0.1", .port = 4400, .guests_max = 64};

    struct Health {
        std::string address = "127.0.0.1";
        std::uint16_t port = 4260;

        bool operator==(const Health&) const = default;
    } health;

    // Without what concerns rounds and workers.
    NodeConfig::Consensus consensus;

    struct Executor {
        std::uint32_t threads = 2;

        bool operator==(const Executor&) const = default;
    } executor;

    bool operator==(const WorkerConfig&) const = default;
};

// Errors as parse_config; also if it does not say whose worker it is.
Result<WorkerConfig> parse_worker_config(std::string_view toml,
                                         std::string_view name = kWorkerConfigFile);
// parse_worker_config gives the same back.
std::string render_worker_config(const WorkerConfig& config);

// worker.toml on the disk of the home; errors as load_config.
Result<WorkerConfig> load_worker_config(Disk& home, std::string_view name = kWorkerConfigFile);
// Replaces it atomically and durably.
Result<> save_worker_config(Disk& home, const WorkerConfig& config);

}  // namespace draco::node
