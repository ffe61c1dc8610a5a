#include "process.hpp"

#include "draco/io/tls.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace draco::consensus_bench {

Result<> Process::make(const types::NodeSecretKey& key,
                       const types::Genesis& genesis,
                       std::size_t thread_count,
                       const std::string& directory) {
    DRACO_TRY(opened, io::PosixDisk::open_root(directory));
    disk = std::move(opened);
    DRACO_TRY(started, io::ThreadPool::start({.name = "bench", .thread_count = thread_count}));
    threads = std::move(started);
    log = std::make_unique<log::TerminalLog>(threads->clock(), log::Level::Warn, false);
    DRACO_TRY(net, io::Network::start({.name = "net"}));
    network = std::move(net);
    DRACO_TRY(tls, io::TlsIdentity::create(key.seed(), pool::kLinkProtocolName));
    DRACO_TRY(made,
              pool::TlsTransport::start(
                  *network,
                  *threads,
                  transport_rng,
                  *log,
                  tls,
                  {.chain = genesis.chain,
                   .genesis = types::digest_of(genesis.chain, genesis),
                   .send_bytes_max = {
                       std::size_t{16} << 20, std::size_t{8} << 20, std::size_t{64} << 20}}));
    transport = std::move(made);
    registry =
        std::make_unique<affair::Registry>(*threads, [](const affair::Escalation& escalation) {
            std::cerr << escalation.name << ": " << to_string(escalation.error) << std::endl;
            std::_Exit(1);
        });
    links = std::make_unique<pool::Pool>(*transport, *threads, pool_rng, *log, key.public_key());
    return {};
}

void Process::stop() {
    links.reset();
    transport.reset();
    if (network) network->stop();
    if (threads) threads->stop();
}

std::uint64_t bytes_sent_far(const pool::Pool& links, const std::vector<types::NodeKey>& near) {
    std::uint64_t sent = 0;
    for (const interfaces::LinkSnapshot& link : links.snapshot())
        if (std::ranges::find(near, link.key) == near.end()) sent += link.bytes_sent;
    return sent;
}

}  // namespace draco::consensus_bench
