#pragma once
// Where clients bring transactions: frames over TCP. A client whose validator is busy is not read
// until there is room, so that TCP slows it down.

#include "draco/base/executor.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/io/network.hpp"

#include <memory>

namespace draco::consensus_bench {

Result<std::unique_ptr<io::Listener>> listen_for_clients(io::Network& network,
                                                         Executor& executor,
                                                         interfaces::Consensus& consensus);

}  // namespace draco::consensus_bench
