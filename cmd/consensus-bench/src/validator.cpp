#include "draco/affair/registry.hpp"
#include "draco/application/application.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/consensus/driver.hpp"
#include "draco/consensus_bench/bench.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/io/network.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/io/tls.hpp"
#include "draco/log/sinks.hpp"
#include "draco/pool/pool.hpp"
#include "draco/pool/tls_transport.hpp"

#include "client_port.hpp"
#include "ordering_ledger.hpp"
#include "population.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>

namespace draco::consensus_bench {
namespace {

// In the order in which they are made; they end in the reverse one.
struct Validator {
    std::unique_ptr<io::PosixDisk> disk;
    std::unique_ptr<io::ThreadPool> threads;
    std::unique_ptr<log::TerminalLog> log;
    std::unique_ptr<io::Network> network;
    crypto::SystemRng transport_rng;
    crypto::SystemRng pool_rng;
    std::unique_ptr<pool::TlsTransport> transport;
    std::unique_ptr<affair::Registry> registry;
    std::unique_ptr<interfaces::Application> application;
    std::unique_ptr<OrderingLedger> ledger;
    std::unique_ptr<pool::Pool> links;
    std::unique_ptr<consensus::ConsensusDriver> consensus;
    std::unique_ptr<io::Listener> clients;

    Validator() = default;
    Validator(const Validator&) = delete;
    Validator& operator=(const Validator&) = delete;

    // Tasks of the pool call what was made after it.
    ~Validator() {
        clients.reset();
        consensus.reset();
        transport.reset();
        if (network) network->stop();
        if (threads) threads->stop();
    }
};

Result<> make(Validator& v,
              std::size_t index,
              const std::vector<types::NodeSecretKey>& keys,
              std::size_t threads,
              const std::string& directory) {
    const types::Genesis genesis = make_genesis(keys);
    const types::NodeSecretKey& key = keys[index];
    DRACO_TRY(disk, io::PosixDisk::open_root(directory));
    v.disk = std::move(disk);
    DRACO_TRY(pool, io::ThreadPool::start({.name = "validator", .thread_count = threads}));
    v.threads = std::move(pool);
    v.log = std::make_unique<log::TerminalLog>(v.threads->clock(), log::Level::Warn, false);
    DRACO_TRY(network, io::Network::start({.name = "net"}));
    v.network = std::move(network);
    DRACO_TRY(tls, io::TlsIdentity::create(key.seed(), pool::kLinkProtocolName));
    DRACO_TRY(transport,
              pool::TlsTransport::start(
                  *v.network,
                  *v.threads,
                  v.transport_rng,
                  *v.log,
                  tls,
                  {.chain = genesis.chain,
                   .genesis = types::digest_of(genesis.chain, genesis),
                   .send_bytes_max = {
                       std::size_t{16} << 20, std::size_t{8} << 20, std::size_t{64} << 20}}));
    v.transport = std::move(transport);
    v.registry =
        std::make_unique<affair::Registry>(*v.threads, [](const affair::Escalation& escalation) {
            std::cerr << escalation.name << ": " << to_string(escalation.error) << std::endl;
            std::_Exit(1);
        });
    DRACO_TRY(application, application::open(atomo::open_memory_storage(), genesis));
    v.application = std::move(application);
    DRACO_TRY(view, v.application->view());
    v.ledger = std::make_unique<OrderingLedger>(
        *v.threads, view, types::AuthorityIndex(static_cast<std::uint16_t>(index)));
    v.links = std::make_unique<pool::Pool>(
        *v.transport, *v.threads, v.pool_rng, *v.log, key.public_key());
    v.consensus =
        std::make_unique<consensus::ConsensusDriver>(consensus::DriverParts{.executor = *v.threads,
                                                                            .disk = *v.disk,
                                                                            .registry = *v.registry,
                                                                            .links = *v.links,
                                                                            .ledger = *v.ledger,
                                                                            .log = *v.log},
                                                     key.clone(),
                                                     genesis.chain,
                                                     consensus::Parameters{},
                                                     consensus::DriverOptions{.home_is_new = true});
    DRACO_TRY(clients, listen_for_clients(*v.network, *v.threads, *v.consensus));
    v.clients = std::move(clients);
    return {};
}

void set_peers(Validator& v,
               const std::vector<types::NodeSecretKey>& keys,
               std::size_t self,
               std::istream& ports) {
    std::vector<interfaces::PeerAddress> peers;
    std::uint16_t port = 0;
    for (std::size_t i = 0; i < keys.size() && ports >> port; ++i)
        if (i != self) peers.push_back({keys[i].public_key(), "127.0.0.1", port});
    v.links->set_peers(std::move(peers));
}

// One line: counters, then both histograms.
std::string describe(const Validator& v) {
    const auto counts = v.ledger->counts();
    std::uint64_t sent = 0;
    for (const interfaces::LinkSnapshot& link : v.links->snapshot()) sent += link.bytes_sent;
    const auto status = v.consensus->status();
    std::ostringstream text;
    text << "counts " << counts.transactions << ' ' << counts.blocks << ' ' << status.round.value()
         << ' ' << sent << ' ' << v.links->connected().size() << ' '
         << (status.role == interfaces::ConsensusRole::Member ? 1 : 0) << " | "
         << counts.end_to_end.to_text() << " | " << counts.consensus.to_text();
    return text.str();
}

}  // namespace

Result<> run_validator(std::size_t index,
                       std::size_t validators,
                       std::size_t threads,
                       const std::string& directory) {
    const auto keys = validator_keys(validators);
    if (index >= keys.size()) return fail(Errc::InvalidArgument, "there is no such validator");
    Validator v;
    DRACO_TRY_VOID(make(v, index, keys, threads, directory));
    std::cout << "ports " << v.transport->listen_port() << ' ' << v.clients->port() << std::endl;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "peers") {
            set_peers(v, keys, index, words);
            DRACO_TRY_VOID(v.consensus->start());
        } else if (word == "reset") {
            v.ledger->reset_latencies();
        } else if (word == "stop") {
            break;
        }
        std::cout << describe(v) << std::endl;
    }
    return {};
}

}  // namespace draco::consensus_bench
