#include "draco/node/worker_process.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/consensus/worker_driver.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/io/network.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/io/tls.hpp"
#include "draco/node/genesis_file.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/node/worker_config.hpp"
#include "draco/pool/pool.hpp"
#include "draco/pool/tls_transport.hpp"

#include "consensus_parameters.hpp"
#include "home_key.hpp"
#include "home_log.hpp"
#include "signals.hpp"
#include "worker_front.hpp"

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace draco::node {
namespace {

// Until what is under way is written.
constexpr Duration kWorkerStopDeadline = std::chrono::seconds(5);
// A worker's links carry batches, which are what it is for.
constexpr std::array<std::size_t, kChannelCount> kWorkerSendBytesMax = {
    std::size_t{16} << 20, std::size_t{8} << 20, std::size_t{64} << 20};

// In the order in which it was made; it ends in the reverse order.
struct RunningWorker {
    std::unique_ptr<io::PosixDisk> home;
    std::unique_ptr<DiskLock> lock;
    std::unique_ptr<io::ThreadPool> threads;
    std::unique_ptr<HomeLog> log;
    std::unique_ptr<io::Network> network;
    crypto::SystemRng transport_rng;
    crypto::SystemRng pool_rng;
    std::unique_ptr<affair::Registry> registry;
    std::unique_ptr<pool::TlsTransport> transport;
    std::unique_ptr<pool::Pool> links;
    std::unique_ptr<consensus::WorkerDriver> worker;
    std::optional<WorkerFront> front;
    std::unique_ptr<http::Server> server;

    RunningWorker() = default;
    RunningWorker(const RunningWorker&) = delete;
    RunningWorker& operator=(const RunningWorker&) = delete;

    // Tasks of the threads call what was made after them.
    ~RunningWorker() {
        server.reset();
        worker.reset();
        links.reset();
        transport.reset();
        if (network) network->stop();
        if (threads) threads->stop();
    }
};

Result<WorkerConfig> config_of_home(Disk& home, const std::string& path) {
    auto config = load_worker_config(home, path + "/" + std::string(kWorkerConfigFile));
    if (!config && config.error().code == Errc::NotFound)
        return fail(
            Errc::NotFound,
            "there is no worker in " + path + ": make one with draco worker init --home " + path);
    return config;
}

Result<> open_home(RunningWorker& r,
                   const WorkerConfig& config,
                   const WorkerProcessOptions& options) {
    DRACO_TRY(lock, r.home->lock("lock"));
    r.lock = std::move(lock);
    DRACO_TRY(threads,
              io::ThreadPool::start({.name = "worker", .thread_count = config.executor.threads}));
    r.threads = std::move(threads);
    DRACO_TRY(log, HomeLog::open(*r.home, *r.threads, config.log, options.log_to_standard_error));
    r.log = std::move(log);
    return {};
}

Result<> link_worker(RunningWorker& r,
                     const WorkerConfig& config,
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
                                         .guests_max = config.links.guests_max,
                                         .send_bytes_max = kWorkerSendBytesMax}));
    r.transport = std::move(transport);
    r.links = std::make_unique<pool::Pool>(
        *r.transport, *r.threads, r.pool_rng, r.log->get(), key.public_key());
    return {};
}

Result<> start_driver(RunningWorker& r,
                      const WorkerConfig& config,
                      types::ChainId chain,
                      const interfaces::PeerAddress& node) {
    DRACO_TRY_VOID(r.home->create_directory(config.worker.data_directory));
    r.worker = std::make_unique<consensus::WorkerDriver>(
        consensus::WorkerParts{.executor = *r.threads,
                               .disk = *r.home,
                               .registry = *r.registry,
                               .links = *r.links,
                               .log = r.log->get()},
        chain,
        parameters_of(config.consensus),
        consensus::WorkerOptions{.node = node,
                                 .index = types::WorkerIndex(config.worker.index),
                                 .directory = config.worker.data_directory + "/worker"});
    return r.worker->start();
}

Result<> start_health(RunningWorker& r,
                      const WorkerConfig& config,
                      const interfaces::PeerAddress& node) {
    r.front.emplace(WorkerView{
        .worker = *r.worker, .links = *r.links, .node = node, .index = config.worker.index});
    DRACO_TRY(
        server,
        http::Server::start(
            *r.network,
            *r.threads,
            *r.front,
            {.address = config.health.address, .port = config.health.port, .connections_max = 64}));
    r.server = std::move(server);
    return {};
}

Result<> start_parts(RunningWorker& r,
                     const WorkerConfig& config,
                     const WorkerProcessOptions& options,
                     Signals& signals) {
    DRACO_TRY(node, parse_peer_address(config.worker.node));
    DRACO_TRY(genesis, load_genesis(*r.home, config.worker.genesis_file));
    DRACO_TRY(own, load_home_key(*r.home, options.home, config.keys, options.password_file));
    if (own.key.public_key() == node.key)
        return fail(Errc::InvalidArgument,
                    "[worker] node in " + options.home + "/" + std::string(kWorkerConfigFile) +
                        " is this worker's own key: write its node's there, which draco keys show "
                        "names in the node's home");
    DRACO_TRY(network, io::Network::start({.name = "net"}));
    r.network = std::move(network);
    r.registry = std::make_unique<affair::Registry>(
        *r.threads, [&signals](const affair::Escalation& escalation) {
            signals.fail_with({escalation.error.code,
                               escalation.name + " has failed: " + escalation.error.context});
        });
    DRACO_TRY_VOID(link_worker(r, config, genesis, own.key));
    DRACO_TRY_VOID(start_driver(r, config, genesis.chain, node));
    return start_health(r, config, node);
}

Result<> start_worker(RunningWorker& r, const WorkerProcessOptions& options, Signals& signals) {
    auto home = io::PosixDisk::open_root(options.home);
    if (!home && home.error().code == Errc::NotFound)
        return fail(Errc::NotFound,
                    "there is no home " + options.home +
                        ": make one with draco worker init --home " + options.home);
    DRACO_TRY(opened, std::move(home));
    r.home = std::move(opened);
    DRACO_TRY(config, config_of_home(*r.home, options.home));
    DRACO_TRY_VOID(open_home(r, config, options));
    const log::Logger logger(r.log->get(), "worker");
    logger.info("starting", {{"version", std::string(DRACO_VERSION)}, {"home", options.home}});
    Result<> started = start_parts(r, config, options, signals);
    if (!started) {
        logger.error("cannot start", {{"error", to_string(started.error())}});
        return started;
    }
    logger.info("running",
                {{"key", to_base58(r.links->self().view())},
                 {"node", config.worker.node},
                 {"index", std::uint64_t{config.worker.index}},
                 {"link_port", std::uint64_t{r.transport->listen_port()}},
                 {"health_port", std::uint64_t{r.server->port()}}});
    return {};
}

void stop_worker(RunningWorker& r) {
    const log::Logger logger(r.log->get(), "worker");
    r.server.reset();
    std::promise<affair::StopReport> stopped;
    r.registry->stop_all(
        affair::StopPolicy::Drain,
        r.threads->clock().now() + kWorkerStopDeadline,
        [&stopped](affair::StopReport report) { stopped.set_value(std::move(report)); });
    for (const affair::ObjectSnapshot& object : stopped.get_future().get().unfinished)
        logger.warn("was still busy at the end", {{"object", object.name}});
    logger.info("stopped");
}

}  // namespace

Result<> run_worker_process(const WorkerProcessOptions& options) {
    Signals signals;
    RunningWorker running;
    DRACO_TRY_VOID(start_worker(running, options, signals));
    const Result<> ended = signals.wait();
    const log::Logger logger(running.log->get(), "worker");
    if (ended)
        logger.info("stopping");
    else
        logger.error("stopping after a failure", {{"error", to_string(ended.error())}});
    stop_worker(running);
    return ended;
}

}  // namespace draco::node
