#pragma once
// What validators and workers of a bench have in common: disk, threads, network, links.

#include "draco/affair/registry.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/io/network.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/log/sinks.hpp"
#include "draco/pool/pool.hpp"
#include "draco/pool/tls_transport.hpp"
#include "draco/types/genesis.hpp"

#include <memory>
#include <string>

namespace draco::consensus_bench {

// In the order in which they are made; they end in the reverse one.
struct Process {
    std::unique_ptr<io::PosixDisk> disk;
    std::unique_ptr<io::ThreadPool> threads;
    std::unique_ptr<log::TerminalLog> log;
    std::unique_ptr<io::Network> network;
    crypto::SystemRng transport_rng;
    crypto::SystemRng pool_rng;
    std::unique_ptr<pool::TlsTransport> transport;
    std::unique_ptr<affair::Registry> registry;
    std::unique_ptr<pool::Pool> links;

    Process() = default;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // Under `key`, on a port of the system's choice. A failure of an object later ends the process.
    Result<> make(const types::NodeSecretKey& key,
                  const types::Genesis& genesis,
                  std::size_t thread_count,
                  const std::string& directory);

    // Nothing calls what was built on it any more.
    void stop();
};

// Bytes sent to all but `near`, which are of the same validator.
std::uint64_t bytes_sent_far(const pool::Pool& links, const std::vector<types::NodeKey>& near);

}  // namespace draco::consensus_bench
