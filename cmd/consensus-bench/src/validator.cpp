#include "draco/application/application.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/consensus/driver.hpp"
#include "draco/consensus_bench/bench.hpp"

#include "client_port.hpp"
#include "ordering_ledger.hpp"
#include "population.hpp"
#include "process.hpp"

#include <iostream>
#include <sstream>

namespace draco::consensus_bench {
namespace {

struct Validator {
    Process process;
    std::unique_ptr<interfaces::Application> application;
    std::unique_ptr<OrderingLedger> ledger;
    std::unique_ptr<consensus::ConsensusDriver> consensus;
    std::unique_ptr<io::Listener> clients;
    std::vector<types::NodeKey> workers;

    Validator() = default;
    Validator(const Validator&) = delete;
    Validator& operator=(const Validator&) = delete;

    // Tasks of the threads call what was made after them.
    ~Validator() {
        clients.reset();
        consensus.reset();
        process.stop();
    }
};

Result<> make(Validator& v,
              std::size_t index,
              const std::vector<types::NodeSecretKey>& keys,
              std::size_t threads,
              const std::string& directory) {
    const types::Genesis genesis = make_genesis(keys);
    DRACO_TRY_VOID(v.process.make(keys[index], genesis, threads, directory));
    DRACO_TRY(application, application::open(atomo::open_memory_storage(), genesis));
    v.application = std::move(application);
    DRACO_TRY(view, v.application->view());
    v.ledger = std::make_unique<OrderingLedger>(
        *v.process.threads, view, types::AuthorityIndex(static_cast<std::uint16_t>(index)));
    return {};
}

// The ports of the validators, in order, then those of the own workers.
Result<> begin(Validator& v,
               const std::vector<types::NodeSecretKey>& keys,
               std::size_t self,
               std::istream& ports) {
    std::vector<interfaces::PeerAddress> peers;
    std::uint16_t port = 0;
    for (std::size_t i = 0; i < keys.size() && ports >> port; ++i)
        if (i != self) peers.push_back({keys[i].public_key(), "127.0.0.1", port});
    consensus::DriverOptions options{.home_is_new = true};
    while (ports >> port) {
        const types::NodeKey key = worker_key(self, options.workers.size()).public_key();
        options.workers.push_back({key, "127.0.0.1", port});
        v.workers.push_back(key);
    }
    peers.insert(peers.end(), options.workers.begin(), options.workers.end());
    v.process.links->set_peers(std::move(peers));
    v.consensus = std::make_unique<consensus::ConsensusDriver>(
        consensus::DriverParts{.executor = *v.process.threads,
                               .disk = *v.process.disk,
                               .registry = *v.process.registry,
                               .links = *v.process.links,
                               .ledger = *v.ledger,
                               .log = *v.process.log},
        keys[self].clone(),
        make_genesis(keys).chain,
        consensus::Parameters{},
        std::move(options));
    DRACO_TRY(clients, listen_for_clients(*v.process.network, *v.process.threads, *v.consensus));
    v.clients = std::move(clients);
    return v.consensus->start();
}

// One line: counters, then both histograms.
std::string describe(const Validator& v) {
    const auto counts = v.ledger->counts();
    const auto status = v.consensus->status();
    std::ostringstream text;
    text << "counts " << counts.transactions << ' ' << counts.blocks << ' ' << status.round.value()
         << ' ' << bytes_sent_far(*v.process.links, v.workers) << ' '
         << v.process.links->connected().size() << ' '
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
    std::cout << "port " << v.process.transport->listen_port() << std::endl;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "peers") {
            DRACO_TRY_VOID(begin(v, keys, index, words));
            std::cout << "port " << v.clients->port() << std::endl;
            continue;
        }
        if (word == "reset")
            v.ledger->reset_latencies();
        else if (word == "stop")
            break;
        std::cout << describe(v) << std::endl;
    }
    return {};
}

}  // namespace draco::consensus_bench
