#include "worker_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/node/genesis_file.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/node/worker_config.hpp"
#include "draco/node/worker_process.hpp"

#include "node_home.hpp"
#include "node_setup.hpp"
#include "progress.hpp"
#include "text_file.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

const std::string kWorkerFile(node::kWorkerConfigFile);

Result<> check_is_new(const std::string& path) {
    if (path_exists(path + "/" + kWorkerFile))
        return fail(Errc::AlreadyExists,
                    path + " is a worker's home already; choose another with --home DIR");
    if (path_exists(path + "/" + std::string(node::kConfigFile)))
        return fail(Errc::AlreadyExists,
                    path +
                        " is a node's home; a worker has a home and a key of its own: choose "
                        "another with --home DIR");
    return {};
}

Result<types::Genesis> genesis_of(const std::string& path) {
    auto genesis = read_text_file(path, node::kGenesisBytesMax).and_then([&](const auto& text) {
        return node::parse_genesis(text, path);
    });
    if (genesis) return genesis;
    return fail(genesis.error().code,
                "--genesis: " + genesis.error().context +
                    "; copy genesis.json from the node's home and name the copy");
}

Result<node::HostAndPort> place_of(const WorkerInitOptions& options) {
    if (options.listen.empty())
        return node::HostAndPort{
            .host = "127.0.0.1",
            .port = static_cast<std::uint16_t>(kWorkerLinkPort + options.index)};
    DRACO_TRY(place, node::parse_host_and_port(options.listen));
    if (place.port == 0) {
        DRACO_TRY(port, free_port());
        place.port = port;
    }
    return place;
}

Result<std::uint16_t> health_port_of(const WorkerInitOptions& options) {
    if (options.health_port != 0) return options.health_port;
    if (options.listen.ends_with(":0")) return free_port();
    return static_cast<std::uint16_t>(kWorkerHealthPort + options.index);
}

Result<node::WorkerConfig> worker_config_for(const WorkerInitOptions& options) {
    DRACO_TRY(peer, node::parse_peer_address(options.node));
    DRACO_TRY(place, place_of(options));
    DRACO_TRY(health, health_port_of(options));
    node::WorkerConfig config;
    config.worker.node = node::to_text(peer);
    config.worker.index = options.index;
    config.worker.advertised_host = place.host;
    config.links.address = listen_address_of(place.host);
    config.links.port = place.port;
    config.health.port = health;
    // What it writes must be what it reads.
    return node::parse_worker_config(node::render_worker_config(config), "the configuration");
}

// What the node's configuration says of the worker; those before it are left to the operator.
std::string config_line(const std::string& entry, std::uint16_t index) {
    std::string line = "workers = [";
    for (std::uint16_t before = 0; before < index; ++before) line += "\"...\", ";
    return line + "\"" + entry + "\"]";
}

json::object worker_json(const std::string& home,
                         const types::NodeKey& key,
                         const node::WorkerConfig& config) {
    const std::string entry = node::to_text(
        interfaces::PeerAddress{key, config.worker.advertised_host, config.links.port});
    return {
        {"home", home},
        {"key", to_base58(key.view())},
        {"index", config.worker.index},
        {"node", config.worker.node},
        {"listens", node::to_text(node::HostAndPort{config.links.address, config.links.port})},
        {"health",
         "http://" + node::to_text(node::HostAndPort{config.health.address, config.health.port}) +
             "/health"},
        {"entry", entry},
        {"line", config_line(entry, config.worker.index)}};
}

Result<types::NodeKey> worker_key(Disk& home, const node::WorkerConfig& config) {
    DRACO_TRY(store, identity::KeyStore::open(home, config.keys.directory));
    DRACO_TRY(all, store.list());
    for (const auto& info : all)
        if (info.kind == identity::KeyKind::Node && info.name == identity::kDefaultKeyName &&
            info.id)
            return std::get<types::NodeKey>(*info.id);
    return fail(Errc::NotFound,
                "the worker's home has no key in " + config.keys.directory +
                    "; restore it with draco keys restore, or make the worker a home anew and put "
                    "its new line into the node's config.toml");
}

}  // namespace

Result<> run_worker_init(const Invocation& invocation, const WorkerInitOptions& options) {
    DRACO_TRY(path, home_path(invocation));
    DRACO_TRY_VOID(check_is_new(path));
    DRACO_TRY(genesis, genesis_of(options.genesis_file));
    DRACO_TRY(config, worker_config_for(options));
    const auto made = [&] {
        StatusLine line;
        line.show("deriving the key from the password");
        return create_node_home(path, {}, options.password_file, options.light_keys);
    }();
    if (!made) return std::unexpected(made.error());
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY_VOID(node::save_genesis(home.disk(), genesis, config.worker.genesis_file));
    // The configuration is last: it makes the folder a worker's home.
    DRACO_TRY_VOID(node::save_worker_config(home.disk(), config));
    json::object answer = worker_json(path, *made, config);
    answer["next"] =
        "in [consensus] of the node's config.toml, write the line in the place of the one that "
        "begins with workers; then draco worker run --home " +
        path + ", and start the node again";
    print_value(invocation, answer);
    return {};
}

Result<> run_worker_show(const Invocation& invocation) {
    DRACO_TRY(path, home_path(invocation));
    if (!path_exists(path + "/" + kWorkerFile))
        return fail(
            Errc::NotFound,
            "there is no worker in " + path + ": make one with draco worker init --home " + path);
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY(config, node::load_worker_config(home.disk(), path + "/" + kWorkerFile));
    DRACO_TRY(key, worker_key(home.disk(), config));
    print_value(invocation, worker_json(path, key, config));
    return {};
}

Result<> run_worker(const Invocation& invocation, const WorkerRunOptions& options) {
    DRACO_TRY(home, home_path(invocation));
    return node::run_worker_process({.home = home,
                                     .password_file = options.password_file,
                                     .log_to_standard_error = !options.quiet});
}

}  // namespace draco
