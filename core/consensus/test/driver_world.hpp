#pragma once
// Nodes in a simulated world, each with the real driver, forwarder and epoch timer over a plain
// Links, Ledger, BlockFollower and NodeSigner; and an audit that sees every message and block.

#include "draco/application/application.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/consensus/driver.hpp"
#include "draco/consensus/epoch_timer.hpp"
#include "draco/consensus/forwarder.hpp"
#include "draco/consensus/message.hpp"
#include "draco/log/sinks.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/simulon/world.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace draco::consensus::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What must hold over all nodes and all their lives.
struct Audit {
    std::vector<std::string> violations;
    std::map<std::tuple<types::NodeKey, std::uint64_t, std::uint16_t, std::uint64_t>,
             types::HeaderDigest>
        votes;
    std::map<std::tuple<types::NodeKey, std::uint64_t, std::uint64_t>, types::HeaderDigest> headers;
    std::map<std::uint64_t, std::pair<types::BlockDigest, types::StateRoot>> blocks;
    // Headers, votes and block signatures by member and epoch.
    std::map<std::pair<types::NodeKey, std::uint64_t>, std::uint64_t> signatures;
    std::uint64_t void_blocks = 0;
    std::set<types::NodeKey> batch_senders;

    void sent(const types::NodeKey& by, types::ChainId chain, ByteView message);
    void executed(const types::Block& block,
                  const types::BlockDigest& digest,
                  const types::StateRoot& root);
};

// What a crash does not take: the chain as it is on the disk.
struct Home {
    std::vector<Bytes> archive;  // height 1 at index 0
    std::optional<types::BlockCertificate> certificate;
    std::map<std::uint64_t, types::BlockDigest> certified;  // in any life, by height
    bool is_new = true;
    bool signed_elsewhere = false;
};

struct Cluster {
    types::Genesis genesis;
    std::vector<types::NodeSecretKey> keys;  // of machine i
    // Worker processes, on machines of their own after the nodes': first node 0's, by index.
    std::size_t workers_each = 0;
    std::vector<types::NodeSecretKey> worker_keys;
    std::vector<std::size_t> workers_told;  // how many of them node i is told to have
    // What people at a worker ask for their nonces: its node's, while that runs.
    std::vector<const interfaces::Ledger*> ledgers;
    std::vector<types::AccountSecretKey> people;
    std::size_t people_at_nodes = 0;        // the first ones; the others are at the workers
    std::vector<types::Address> addresses;  // of the people
    std::vector<Home> homes;
    Audit audit;
    std::uint64_t transactions_each = 0;  // that every person sends
    std::uint64_t resubmitted = 0;
    Duration execution_max = milliseconds(3);
    Parameters parameters{};  // of consensus

    std::optional<PeerId> machine_of(const types::NodeKey& key) const;
    types::NodeKey key_of(PeerId machine) const;

    PeerId worker_machine(std::size_t node, std::size_t index) const {
        return PeerId(static_cast<std::uint32_t>(keys.size() + node * workers_each + index));
    }

    // A transfer of the person's next nonce, if it is time to send it (again).
    struct Person {
        std::size_t number = 0;
        std::uint64_t submitted = 0;  // nonce
        Instant at{};
    };

    std::optional<Bytes> next_transaction(Person& person,
                                          const interfaces::Ledger& ledger,
                                          Instant now);
};

struct ClusterOptions {
    std::size_t machines = 4;
    std::size_t people = 4;  // at the nodes
    std::uint64_t epoch_ms = 3'600'000;
    std::uint64_t transactions_each = 10;
    std::size_t workers = 0;  // of each node, with one more person at each
};

std::shared_ptr<Cluster> make_cluster(const ClusterOptions& options);

// The program of a machine; see driver_world.cpp.
class Machine : public simulon::Program {
public:
    virtual ConsensusDriver& driver() = 0;
    virtual Forwarder& forwarder() = 0;
    virtual interfaces::Ledger& ledger() = 0;
    // Of the registry: the names of objects that failed for good.
    virtual const std::vector<std::string>& escalations() const = 0;
    virtual std::uint64_t messages_sent() const = 0;
    // Errors only.
    virtual const log::MemoryLog& log() const = 0;
};

simulon::ProgramFactory machine_factory(const std::shared_ptr<Cluster>& cluster);

Machine& machine(simulon::World& world, std::size_t index);
std::uint64_t height_of(simulon::World& world, std::size_t index);
std::uint64_t epoch_of(simulon::World& world, std::size_t index);
// Whether each person's transactions are executed on every machine that runs.
bool all_executed(simulon::World& world, const Cluster& cluster);
// One line per machine.
std::string describe(simulon::World& world, const Cluster& cluster);
// Adds machines to the world, connects and starts them.
void build(simulon::World& world,
           const std::shared_ptr<Cluster>& cluster,
           const simulon::LinkOptions& links = {},
           const simulon::NodeOptions& node = {});
Result<> no_violations(const Cluster& cluster);

}  // namespace draco::consensus::test
