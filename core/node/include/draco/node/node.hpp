#pragma once
// A node: every component, wired over capabilities (docs/decisions/014). It has no thread, socket
// or signal of its own; NodeProcess (process.hpp) gives it those of the operating system, a
// simulation those of lib/simulon. src/node.cpp is the wiring diagram.
//
// Owner: who made it, on any thread. Destroying it ends all its objects at once, as a crash would;
// stop() ends them in order. Everything in NodeWorld outlives it.

#include "draco/affair/registry.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/rng.hpp"
#include "draco/http/engine.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/interfaces/delivery.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/interfaces/providers.hpp"
#include "draco/interfaces/signer.hpp"
#include "draco/interfaces/sync.hpp"
#include "draco/log/log.hpp"
#include "draco/node/config.hpp"
#include "draco/rpc/process_usage.hpp"
#include "draco/types/genesis.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace draco::publisher {
class Publisher;
}  // namespace draco::publisher

namespace draco::rpc {
class RpcService;
}  // namespace draco::rpc

namespace draco::node {

// How far ahead of the executed ones the nonces of a sender may be.
inline constexpr std::uint64_t kNoncesAheadMax = 64;

// What a node needs of its surroundings.
struct NodeWorld {
    Executor& executor;
    // Whose tasks wait for the disk where content is read and written; in a simulation the same.
    Executor& disk_executor;
    Disk& disk;  // the node's home
    // Used by the node alone. It draws a secret: cryptographically strong, but in a simulation.
    Rng& rng;
    interfaces::PeerTransport& peers;
    log::Log& log;
    // Where RocksDB keeps the state: a directory of the operating system. Unused by the memory
    // backend.
    std::string state_directory{};
    // What the process takes of the machine; null in a simulation.
    std::function<rpc::ProcessUsage()> process_usage{};
    // What its HTTP front delivers; null where there is none.
    std::function<http::EngineCounters()> http_counters{};
};

struct NodeIdentity {
    types::NodeSecretKey key;
    // The key may have signed on another machine, or before what is on this disk: sign nothing in
    // the epoch that runs.
    bool signed_elsewhere = false;
    // The key has signed nowhere and nothing: it starts for the first time ever. Not what the data
    // directory looks like, which may have been wiped.
    bool first_start = false;
};

// Of the simulated world only: who cannot forge need not be checked.
enum class MessageSignatures : std::uint8_t { Checked, Trusted };

class Node {
public:
    // Opens the chain in the home, or begins it with `genesis`, and joins the network. Returns when
    // the state is up to date with the own archive. Errors are those of the components, each with
    // what to do. `on_failure` is called, as a task, when a component has failed for good: stop the
    // node and leave.
    static Result<std::unique_ptr<Node>> start(
        const NodeWorld& world,
        NodeIdentity identity,
        const types::Genesis& genesis,
        const NodeConfig& config,
        affair::EscalationHandler on_failure,
        MessageSignatures signatures = MessageSignatures::Checked);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    const types::NodeKey& key() const;
    interfaces::Ledger& ledger();
    interfaces::Consensus& consensus();
    interfaces::TransactionForwarder& forwarder();
    interfaces::Links& links();
    interfaces::BlockFollower& follower();
    interfaces::NodeSigner& signer();
    interfaces::Blockstore& blockstore();
    interfaces::ContentSource& content();
    interfaces::Providers& providers();
    interfaces::Acknowledgements& acknowledgements();
    publisher::Publisher& publisher();
    rpc::RpcService& rpc();
    affair::Registry& registry();

    // Hands on what is under way, makes it durable, and ends. `done` is called once, as a task of
    // its own, with who was still busy at the deadline; then destroy the node.
    void stop(Instant deadline, affair::StopCallback done);

private:
    struct Parts;

    explicit Node(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace draco::node
