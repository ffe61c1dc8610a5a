#include "draco/node/process.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/cdn/cdn.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/gateway/gateway.hpp"
#include "draco/handshake/session_server.hpp"
#include "draco/identity/key_store.hpp"
#include "draco/io/network.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/io/tls.hpp"
#include "draco/node/config.hpp"
#include "draco/node/first_start.hpp"
#include "draco/node/genesis_file.hpp"
#include "draco/node/node.hpp"
#include "draco/pool/tls_transport.hpp"
#include "draco/publisher/publisher.hpp"
#include "draco/rpc/process_usage.hpp"
#include "draco/rpc/server.hpp"
#include "draco/rpc/service.hpp"
#include "draco/types/session.hpp"

#include "home_key.hpp"
#include "home_log.hpp"
#include "restored_key.hpp"
#include "signals.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace draco::node {
namespace {

// For answers that are under way when the node stops.
constexpr Duration kAnswersGrace = std::chrono::seconds(2);

Result<NodeIdentity> load_identity(Disk& home,
                                   const std::string& home_path,
                                   const NodeConfig::Keys& config,
                                   const std::string& password_file) {
    DRACO_TRY(loaded, load_home_key(home, home_path, config, password_file));
    DRACO_TRY(first_start, take_first_start(home, config.directory));
    return NodeIdentity{.key = std::move(loaded.key),
                        .signed_elsewhere = loaded.restored,
                        .first_start = first_start && !loaded.restored};
}

// Everything that runs, in the order in which it was made; it ends in the reverse order.
struct Running {
    std::unique_ptr<io::PosixDisk> home;
    std::unique_ptr<DiskLock> lock;
    std::unique_ptr<io::ThreadPool> threads;
    std::unique_ptr<io::ThreadPool> disk_threads;
    std::unique_ptr<io::ThreadPool> session_threads;
    std::unique_ptr<HomeLog> log;
    std::unique_ptr<io::Network> network;
    crypto::SystemRng transport_rng;
    crypto::SystemRng node_rng;
    crypto::SystemRng session_rng;
    // Of its own, so that what is delivered does not delay what nodes say to each other.
    std::unique_ptr<io::Network> session_network;
    std::optional<io::TlsIdentity> session_identity;
    std::unique_ptr<pool::TlsTransport> transport;
    std::unique_ptr<Node> node;
    std::unique_ptr<RestoredKeyWatch> restored_key;
    std::unique_ptr<rpc::RpcServer> server;
    std::unique_ptr<gateway::Gateway> gateway;
    std::atomic<const gateway::Gateway*> front = nullptr;  // the same, for any thread
    std::unique_ptr<handshake::SessionServer> sessions;

    Running() = default;
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    // Metrics read the gateway; what waits for the disk uses parts of the node.
    ~Running() {
        server.reset();
        if (disk_threads) disk_threads->stop();
    }
};

http::EngineCounters counters_of(const std::atomic<const gateway::Gateway*>& front) {
    const gateway::Gateway* const started = front.load();
    return started == nullptr ? http::EngineCounters{} : started->counters().http;
}

std::string state_directory(const std::string& home, const NodeConfig& config) {
    return home + "/" + config.node.data_directory + "/state";
}

Result<> start_links(Running& r,
                     const NodeConfig& config,
                     const types::Genesis& genesis,
                     const types::NodeSecretKey& key) {
    DRACO_TRY(tls, io::TlsIdentity::create(key.seed(), pool::kLinkProtocolName));
    DRACO_TRY(transport,
              pool::TlsTransport::start(*r.network,
                                        *r.threads,
                                        r.transport_rng,
                                        r.log->get(),
                                        tls,
                                        {.chain = genesis.chain,
                                         .genesis = types::digest_of(genesis.chain, genesis),
                                         .listen_address = config.links.address,
                                         .listen_port = config.links.port,
                                         .guests_max = config.links.guests_max}));
    r.transport = std::move(transport);
    return {};
}

Result<> start_node(Running& r,
                    const ProcessOptions& options,
                    const NodeConfig& config,
                    Signals& signals) {
    DRACO_TRY(genesis, load_genesis(*r.home, config.node.genesis_file));
    DRACO_TRY(identity, load_identity(*r.home, options.home, config.keys, options.password_file));
    const bool restored = identity.signed_elsewhere;
    DRACO_TRY_VOID(start_links(r, config, genesis, identity.key));
    DRACO_TRY(session_identity,
              io::TlsIdentity::create(identity.key.seed(), types::session::kAlpn));
    r.session_identity = std::move(session_identity);
    DRACO_TRY(node,
              Node::start({.executor = *r.threads,
                           .disk_executor = *r.disk_threads,
                           .disk = *r.home,
                           .rng = r.node_rng,
                           .peers = *r.transport,
                           .log = r.log->get(),
                           .state_directory = state_directory(options.home, config),
                           .process_usage = rpc::read_process_usage,
                           .http_counters = [&front = r.front] { return counters_of(front); }},
                          std::move(identity),
                          genesis,
                          config,
                          [&signals](const affair::Escalation& escalation) {
                              signals.fail_with(
                                  {escalation.error.code,
                                   escalation.name + " has failed: " + escalation.error.context});
                          }));
    r.node = std::move(node);
    if (restored)
        r.restored_key = std::make_unique<RestoredKeyWatch>(
            r.node->ledger(), *r.threads, [&home = *r.home, directory = config.keys.directory] {
                auto store = identity::KeyStore::open(home, directory);
                if (store)
                    static_cast<void>(
                        store->clear_restored(identity::KeyKind::Node, identity::kDefaultKeyName));
            });
    return {};
}

Result<> start_sessions(Running& r, const NodeConfig& config) {
    DRACO_TRY(network, io::Network::start({.name = "session"}));
    r.session_network = std::move(network);
    DRACO_TRY(threads, io::ThreadPool::start({.name = "sessions", .thread_count = 2}));
    r.session_threads = std::move(threads);
    handshake::SessionServerOptions options;
    options.address = config.session.address;
    options.port = config.session.port;
    options.chain = r.node->ledger().view()->chain();
    options.limits.sessions_max = config.session.sessions_max;
    options.limits.free.sessions_max = (config.session.sessions_max + 1) / 2;
    DRACO_TRY(sessions,
              handshake::SessionServer::start({.network = *r.session_network,
                                               .executor = *r.session_threads,
                                               .rng = r.session_rng,
                                               .source = r.node->content(),
                                               .acknowledgements = r.node->acknowledgements(),
                                               .identity = *r.session_identity},
                                              options));
    r.sessions = std::move(sessions);
    return {};
}

Result<> start_fronts(Running& r, const NodeConfig& config) {
    DRACO_TRY(server,
              rpc::RpcServer::start(*r.network,
                                    *r.threads,
                                    r.node->rpc(),
                                    {.address = config.rpc.address,
                                     .port = config.rpc.port,
                                     .connections_max = config.rpc.connections_max,
                                     .requests_per_s = config.rpc.requests_per_s},
                                    {{.prefix = std::string(publisher::kPathPrefix),
                                      .handler = &r.node->publisher()}}));
    r.server = std::move(server);
    gateway::GatewayOptions front;
    front.engine.address = config.http.address;
    front.engine.port = config.http.port;
    front.engine.thread_count = config.http.threads;
    front.engine.connections_max = config.http.connections_max;
    front.limits.requests_per_s = config.http.requests_per_s;
    front.limits.bytes_per_s = config.http.bytes_per_s;
    gateway::Gateway::Services services;
    services.push_back(cdn::make_service());
    DRACO_TRY(
        gateway,
        gateway::Gateway::start(std::move(services), r.node->content(), r.threads->clock(), front));
    r.gateway = std::move(gateway);
    r.front = r.gateway.get();
    return start_sessions(r, config);
}

Result<> start(Running& r, const ProcessOptions& options, Signals& signals) {
    DRACO_TRY(home, io::PosixDisk::open_root(options.home));
    r.home = std::move(home);
    auto loaded = load_config(*r.home, options.home + "/" + std::string(kConfigFile));
    if (!loaded && loaded.error().code == Errc::NotFound)
        return fail(Errc::NotFound,
                    "there is no node in " + options.home + ": run 'draco init --home " +
                        options.home + "' first");
    DRACO_TRY(config, std::move(loaded));
    DRACO_TRY(lock, r.home->lock("lock"));
    r.lock = std::move(lock);
    DRACO_TRY(threads,
              io::ThreadPool::start({.name = "node", .thread_count = config.executor.threads}));
    r.threads = std::move(threads);
    DRACO_TRY(
        disk_threads,
        io::ThreadPool::start({.name = "disk", .thread_count = config.executor.disk_threads}));
    r.disk_threads = std::move(disk_threads);
    DRACO_TRY(log, HomeLog::open(*r.home, *r.threads, config.log, options.log_to_standard_error));
    r.log = std::move(log);
    const log::Logger logger(r.log->get(), "node");
    logger.info("starting", {{"version", std::string(DRACO_VERSION)}, {"home", options.home}});
    auto started = [&]() -> Result<> {
        DRACO_TRY(network, io::Network::start({.name = "net"}));
        r.network = std::move(network);
        DRACO_TRY_VOID(start_node(r, options, config, signals));
        return start_fronts(r, config);
    }();
    if (!started) {
        logger.error("cannot start", {{"error", to_string(started.error())}});
        return started;
    }
    const auto view = r.node->ledger().view();
    logger.info("running",
                {{"key", to_base58(r.node->key().view())},
                 {"height", view->head().height.value()},
                 {"epoch", view->epoch().epoch.value()},
                 {"link_port", std::uint64_t{r.transport->listen_port()}},
                 {"http_port", std::uint64_t{r.gateway->port()}},
                 {"session_port", std::uint64_t{r.sessions->port()}},
                 {"rpc_port", std::uint64_t{r.server->port()}}});
    return {};
}

void stop(Running& r, Duration deadline) {
    const log::Logger logger(r.log->get(), "node");
    r.sessions.reset();
    r.gateway->stop(kAnswersGrace);
    r.server.reset();
    std::promise<affair::StopReport> stopped;
    r.node->stop(r.threads->clock().now() + deadline,
                 [&stopped](affair::StopReport report) { stopped.set_value(std::move(report)); });
    for (const affair::ObjectSnapshot& object : stopped.get_future().get().unfinished)
        logger.warn("was still busy at the end", {{"object", object.name}});
    r.restored_key.reset();
    r.disk_threads->stop();
    r.node.reset();
    r.transport.reset();
    r.session_network->stop();
    r.network->stop();
    logger.info("stopped");
}

}  // namespace

Result<> run_process(const ProcessOptions& options) {
    Signals signals;
    Running running;
    DRACO_TRY_VOID(start(running, options, signals));
    const Result<> ended = signals.wait();
    const log::Logger logger(running.log->get(), "node");
    if (ended)
        logger.info("stopping");
    else
        logger.error("stopping after a failure", {{"error", to_string(ended.error())}});
    stop(running, options.stop_deadline);
    return ended;
}

}  // namespace draco::node
