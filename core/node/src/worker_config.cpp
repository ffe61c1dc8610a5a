#include "draco/node/worker_config.hpp"

#include "draco/consensus/worker_message.hpp"
#include "draco/node/peer_address.hpp"

#include "config_table.hpp"
#include "disk_text.hpp"
#include "shared_keys.hpp"

namespace draco::node {
namespace {

const std::vector<ConfigSection>& worker_sections() {
    static const std::vector<ConfigSection> kSections = {
        {.name = "worker", .comment = "Whose worker it is, and where it keeps things."},
        {.name = "keys", .comment = "Who it is: a key of its own, not its node's."},
        {.name = "log", .comment = "What it tells those who run it."},
        {.name = "links",
         .comment = "With its node and other members' workers: TLS 1.3, both sides proven by their "
                    "keys."},
        {.name = "health", .comment = "/health and /metrics, for machines that watch."},
        {.name = "consensus", .comment = "How batches are made and exchanged; as its node's."},
        {.name = "executor", .comment = "Threads."},
    };
    return kSections;
}

void add_worker(ConfigKeys& keys, WorkerConfig::Worker& worker) {
    keys.push_back({.section = "worker",
                    .name = "node",
                    .comment = "\"KEY@HOST:PORT\": its node's key, and where that has its links.",
                    .member = &worker.node,
                    .objection = [](std::string_view text) {
                        return parse_peer_address(text)
                                   ? std::string_view()
                                   : std::string_view(
                                         "\"KEY@HOST:PORT\": a node's key, and where "
                                         "that has its links");
                    }});
    keys.push_back({.section = "worker",
                    .name = "index",
                    .comment = "Its place in the node's [consensus] workers, counted from 0.",
                    .member = &worker.index,
                    .min = 0,
                    .max = consensus::kWorkersMax - 1});
    keys.push_back({.section = "worker",
                    .name = "data_directory",
                    .comment = "The log of what it holds.",
                    .member = &worker.data_directory,
                    .objection = path_objection});
    keys.push_back({.section = "worker",
                    .name = "genesis_file",
                    .comment = "How the chain began; the same file as its node's.",
                    .member = &worker.genesis_file,
                    .objection = path_objection});
    keys.push_back({.section = "worker",
                    .name = "advertised_host",
                    .comment = "The host at which its node and other workers reach it.",
                    .member = &worker.advertised_host,
                    .objection = host_objection});
}

ConfigKeys worker_keys(WorkerConfig& config) {
    ConfigKeys keys;
    add_worker(keys, config.worker);
    add_key_files(keys, config.keys);
    add_log(keys, config.log);
    add_listener(keys, "links", "TCP.", config.links.address, config.links.port);
    keys.push_back({.section = "links",
                    .name = "guests_max",
                    .comment = "Links of workers that the node has not told of yet.",
                    .member = &config.links.guests_max,
                    .min = 1,
                    .max = 4096});
    add_listener(keys, "health", "TCP.", config.health.address, config.health.port);
    add_batching(keys, config.consensus);
    add_exchange(keys, config.consensus);
    keys.push_back({.section = "executor",
                    .name = "threads",
                    .comment = "That run the worker.",
                    .member = &config.executor.threads,
                    .min = 1,
                    .max = 256});
    return keys;
}

std::vector<Contradiction> worker_contradictions(const WorkerConfig& config) {
    std::vector<Contradiction> found;
    find_retry_contradiction(found, config.consensus);
    if (config.links.port == config.health.port)
        found.push_back({.keys = {{{"links", "port"}, {"health", "port"}}},
                         .what = "[links] and [health] have the same port " +
                                 std::to_string(config.links.port)});
    if (config.worker.node.empty())
        found.push_back({.keys = {{{"worker", "node"}, {"worker", "node"}}},
                         .what = "[worker] node is missing: whose worker is it? Write node = "
                                 "\"KEY@HOST:PORT\""});
    return found;
}

ConfigTable worker_table(WorkerConfig& config) {
    return {.sections = worker_sections(),
            .keys = worker_keys(config),
            .contradictions = [&config] { return worker_contradictions(config); }};
}

}  // namespace

Result<WorkerConfig> parse_worker_config(std::string_view text, std::string_view name) {
    WorkerConfig config;
    DRACO_TRY_VOID(read_config_table(text, name, worker_table(config)));
    return config;
}

std::string render_worker_config(const WorkerConfig& config) {
    WorkerConfig copy = config;
    return render_config_table(
        "# The configuration of a worker process of a Draco node. Paths are relative to the "
        "folder\n"
        "# of this file; what is left out has the value that draco worker init writes.\n",
        worker_table(copy));
}

Result<WorkerConfig> load_worker_config(Disk& home, std::string_view name) {
    DRACO_TRY(text, read_text(home, kWorkerConfigFile, kConfigBytesMax));
    return parse_worker_config(text, name);
}

Result<> save_worker_config(Disk& home, const WorkerConfig& config) {
    return replace_text(home, kWorkerConfigFile, render_worker_config(config));
}

}  // namespace draco::node
