#pragma once
// Who takes part in a simulated network: keys of nodes and accounts, and the genesis that they
// share. A pure function of the scenario and the seed.

#include "draco/sim/scenario.hpp"
#include "draco/types/genesis.hpp"

#include <vector>

namespace draco::sim {

struct Client {
    types::AccountSecretKey key;
    types::Address address;
};

struct Reader {
    types::AccountSecretKey key;
    types::Address address;
    types::SessionSecretKey session_key;
};

struct Population {
    std::vector<types::NodeSecretKey> node_keys;  // members, then followers
    std::vector<types::NodeKey> nodes;
    std::vector<Client> clients;
    std::vector<Reader> readers;
    // Where there are readers: who is paid for what is delivered. Else clients own the nodes.
    std::vector<types::Address> payees;
    types::Genesis genesis;
};

Population make_population(const NetworkScenario& scenario, std::uint64_t seed, UnixTime start);

}  // namespace draco::sim
