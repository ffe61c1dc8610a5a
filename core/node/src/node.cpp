// The wiring diagram: which component stands on which. Read downwards, each part needs only what is
// above it; the two that are tied later (follower, forwarder) are needed by consensus only when it
// is behind, or an epoch ends.
#include "draco/node/node.hpp"

#include "draco/application/application.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"
#include "draco/blockstore/blockstore.hpp"
#include "draco/broadcast/gossip.hpp"
#include "draco/consensus/driver.hpp"
#include "draco/consensus/epoch_timer.hpp"
#include "draco/consensus/forwarder.hpp"
#include "draco/fetcher/fetcher.hpp"
#include "draco/identity/transaction_signer.hpp"
#include "draco/ledger/ledger.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/pod/acknowledgements.hpp"
#include "draco/pool/pool.hpp"
#include "draco/publisher/publisher.hpp"
#include "draco/resolver/resolver.hpp"
#include "draco/rpc/process_usage.hpp"
#include "draco/rpc/service.hpp"
#include "draco/sync/sync.hpp"

#include "consensus_parameters.hpp"
#include "membership.hpp"
#include "peer_links.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

namespace draco::node {
namespace {

Result<std::unique_ptr<atomo::Storage>> open_state(const NodeWorld& world,
                                                   const NodeConfig::State& config) {
    if (config.backend == "memory") return atomo::open_memory_storage();
    return atomo::open_rocks_storage(
        {.path = world.state_directory,
         .durability = config.durability == "sync"    ? atomo::Durability::Sync
                       : config.durability == "group" ? atomo::Durability::Group
                                                      : atomo::Durability::Buffered,
         .block_cache_bytes = config.block_cache_bytes,
         .page_cache_bytes = config.page_cache_bytes});
}

pod::Options pod_options(const std::string& data) {
    pod::Options made;
    made.journal.directory = data + "/delivery";
    return made;
}

// Files of a log are made ahead in full. A state in memory is for simulations and trials.
std::uint64_t log_segment_bytes(const NodeConfig::State& config) {
    return std::uint64_t{config.backend == "memory" ? 4U : 64U} << 20;
}

Result<std::vector<interfaces::PeerAddress>> own_workers(const NodeConfig::Consensus& config,
                                                         const types::NodeKey& self) {
    DRACO_TRY(workers, parse_peer_addresses(config.workers));
    if (std::ranges::find(workers, self, &interfaces::PeerAddress::key) == workers.end())
        return workers;
    return fail(Errc::InvalidArgument,
                "[consensus] workers of config.toml names this node's own key: write the keys that "
                "draco worker init prints there");
}

std::set<types::NodeKey> keys_of(const std::vector<interfaces::PeerAddress>& peers) {
    std::set<types::NodeKey> keys;
    for (const interfaces::PeerAddress& peer : peers) keys.insert(peer.key);
    return keys;
}

Result<rpc::AdminAccess> admin_access(const NodeWorld& world, const NodeConfig& config) {
    DRACO_TRY(endpoints, endpoints_of(config));
    std::string path = config.node.data_directory + "/" + std::string(rpc::kAdminTokenFile);
    DRACO_TRY(token, rpc::renew_admin_token(world.disk, path, world.rng));
    return rpc::AdminAccess{.token = std::move(token),
                            .token_path = std::move(path),
                            .endpoints = std::move(endpoints)};
}

}  // namespace

// Made from top to bottom, ended from bottom to top.
struct Node::Parts {
    Parts(const NodeWorld& world,
          types::NodeKey self,
          const std::shared_ptr<affair::EscalationHandler>& on_failure)
        : key(self),
          registry(world.executor, [on_failure](const auto& failed) { (*on_failure)(failed); }),
          disk_registry(world.disk_executor,
                        [on_failure](const auto& failed) { (*on_failure)(failed); }) {}

    types::NodeKey key;
    affair::Registry registry;
    affair::Registry disk_registry;  // of those that wait for the disk where content is
    std::unique_ptr<pool::Pool> links;
    std::unique_ptr<PeerLinks> peers;  // of them, what goes to other nodes
    std::unique_ptr<broadcast::Gossip> gossip;
    interfaces::Application* application = nullptr;  // the ledger owns it
    std::unique_ptr<interfaces::Ledger> ledger;
    std::unique_ptr<Membership> membership;
    std::unique_ptr<consensus::ConsensusDriver> consensus;
    std::unique_ptr<sync::Sync> follower;
    std::unique_ptr<consensus::Forwarder> forwarder;
    std::unique_ptr<identity::TransactionSigner> signer;
    std::unique_ptr<consensus::EpochTimer> epoch_timer;
    std::unique_ptr<interfaces::Acknowledgements> acknowledgements;
    std::unique_ptr<interfaces::Blockstore> blockstore;
    std::unique_ptr<interfaces::Providers> providers;
    std::unique_ptr<fetcher::Fetcher> fetcher;
    std::unique_ptr<rpc::RpcService> rpc;
    std::unique_ptr<publisher::Publisher> publisher;

    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    ~Parts() {
        publisher.reset();
        rpc.reset();
        fetcher.reset();
        acknowledgements.reset();
        epoch_timer.reset();
        signer.reset();
        if (consensus) {
            consensus->set_forwarder(nullptr);
            consensus->set_follower(nullptr);
        }
    }
};

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::start(const NodeWorld& world,
                                          NodeIdentity identity,
                                          const types::Genesis& genesis,
                                          const NodeConfig& config,
                                          affair::EscalationHandler on_failure,
                                          MessageSignatures signatures) {
    const types::NodeKey self = identity.key.public_key();
    const std::string data = config.node.data_directory;
    DRACO_TRY_VOID(world.disk.create_directory(data));
    auto parts = std::make_unique<Parts>(
        world, self, std::make_shared<affair::EscalationHandler>(std::move(on_failure)));
    Parts& p = *parts;

    DRACO_TRY(admin, admin_access(world, config));

    // The chain of this node.
    DRACO_TRY(storage, open_state(world, config.state));
    DRACO_TRY(application, application::open(std::move(storage), genesis));
    p.application = application.get();
    ledger::Options archive;
    archive.directory = data + "/archive";
    archive.archive_bytes_max = config.ledger.archive_bytes_max;
    archive.state_is_durable = config.state.backend != "memory";
    archive.segment_bytes = log_segment_bytes(config.state);
    DRACO_TRY(ledger,
              ledger::open(std::move(application), world.disk, p.registry, world.log, archive));
    p.ledger = std::move(ledger);

    // Its peers.
    p.links = std::make_unique<pool::Pool>(world.peers, world.executor, world.rng, world.log, self);
    DRACO_TRY(workers, own_workers(config.consensus, self));
    p.peers = std::make_unique<PeerLinks>(*p.links, keys_of(workers));
    p.membership = std::make_unique<Membership>(*p.ledger, *p.links, self, workers);
    DRACO_TRY(gossip,
              broadcast::Gossip::make(*p.peers, p.registry, world.log, {.seed = world.rng.next()}));
    p.gossip = std::move(gossip);

    // Its part in ordering.
    auto provider_key = identity.key.clone();
    p.consensus = std::make_unique<consensus::ConsensusDriver>(
        consensus::DriverParts{.executor = world.executor,
                               .disk = world.disk,
                               .registry = p.registry,
                               .links = *p.links,
                               .ledger = *p.ledger,
                               .log = world.log},
        identity.key.clone(),
        genesis.chain,
        parameters_of(config.consensus),
        consensus::DriverOptions{.directory = data + "/consensus",
                                 .home_is_new = identity.first_start,
                                 .signed_elsewhere = identity.signed_elsewhere,
                                 .signatures = signatures == MessageSignatures::Trusted
                                                   ? consensus::SignatureCheck::Skipped
                                                   : consensus::SignatureCheck::Required,
                                 .workers = std::move(workers),
                                 .log_segment_bytes = log_segment_bytes(config.state)});
    DRACO_TRY(
        follower,
        sync::Sync::make(genesis.chain, *p.peers, *p.ledger, *p.gossip, p.registry, world.log, {}));
    p.follower = std::move(follower);
    p.forwarder = std::make_unique<consensus::Forwarder>(
        world.executor,
        p.registry,
        *p.peers,
        *p.ledger,
        *p.consensus,
        [application = p.application](ByteView transaction) {
            return application->admit(transaction, kNoncesAheadMax);
        },
        world.log);
    p.consensus->set_follower(p.follower.get());
    p.consensus->set_forwarder(p.forwarder.get());
    DRACO_TRY(signer,
              identity::TransactionSigner::open({.executor = world.executor,
                                                 .registry = p.registry,
                                                 .disk = world.disk,
                                                 .ledger = *p.ledger,
                                                 .forwarder = *p.forwarder,
                                                 .log = world.log},
                                                std::move(identity.key),
                                                data + "/" + std::string(kSigningJournalFile)));
    p.signer = std::move(signer);
    p.epoch_timer = std::make_unique<consensus::EpochTimer>(
        world.executor, p.registry, *p.ledger, *p.consensus, *p.signer, self, world.log);

    // What it delivers, and is paid for.
    DRACO_TRY(acknowledgements,
              pod::open({.executor = world.disk_executor,
                         .registry = p.disk_registry,
                         .disk = world.disk,
                         .ledger = *p.ledger,
                         .log = world.log},
                        self,
                        pod::make_lane_submitter(*p.signer),
                        pod_options(data)));
    p.acknowledgements = std::move(acknowledgements);
    DRACO_TRY(blockstore,
              blockstore::open(world.disk,
                               {.directory = data + "/blockstore",
                                .bytes_max = config.blockstore.bytes_max,
                                .objects_max = config.blockstore.objects_max},
                               world.log));
    p.blockstore = std::move(blockstore);
    DRACO_TRY(providers,
              resolver::Resolver::make(genesis.chain,
                                       std::move(provider_key),
                                       *p.peers,
                                       *p.ledger,
                                       p.registry,
                                       world.log,
                                       {}));
    p.providers = std::move(providers);
    fetcher::Options fetching;
    fetching.on_bytes_sold = [&shares = *p.acknowledgements](const types::NodeKey& peer,
                                                             std::uint64_t bytes) {
        shares.had_from_peer(peer, bytes);
    };
    DRACO_TRY(fetcher,
              fetcher::Fetcher::make(
                  *p.peers, *p.blockstore, *p.providers, p.disk_registry, world.log, fetching));
    p.fetcher = std::move(fetcher);

    // Its front.
    DRACO_TRY(rpc,
              rpc::RpcService::start({.ledger = *p.ledger,
                                      .consensus = *p.consensus,
                                      .forwarder = *p.forwarder,
                                      .links = *p.peers,
                                      .follower = *p.follower,
                                      .signer = *p.signer,
                                      .executor = world.executor,
                                      .registry = p.registry,
                                      .node_key = self,
                                      .version = DRACO_VERSION,
                                      .process_usage = world.process_usage,
                                      .http_counters = world.http_counters,
                                      .admin = std::move(admin),
                                      .acknowledgements = p.acknowledgements.get(),
                                      .blockstore = p.blockstore.get(),
                                      .providers = p.providers.get()}));
    p.rpc = std::move(rpc);
    p.publisher = std::make_unique<publisher::Publisher>(
        publisher::PublisherParts{.store = *p.blockstore,
                                  .source = *p.fetcher,
                                  .providers = *p.providers,
                                  .executor = world.disk_executor,
                                  .log = world.log,
                                  .is_owner = [service = p.rpc.get()](std::string_view given) {
                                      return service->is_admin(given);
                                  }});

    DRACO_TRY_VOID(p.forwarder->start());
    DRACO_TRY_VOID(p.consensus->start());
    DRACO_TRY_VOID(p.epoch_timer->start());
    DRACO_TRY_VOID(p.membership->start());
    return std::unique_ptr<Node>(new Node(std::move(parts)));
}

const types::NodeKey& Node::key() const {
    return parts_->key;
}

interfaces::Ledger& Node::ledger() {
    return *parts_->ledger;
}

interfaces::Consensus& Node::consensus() {
    return *parts_->consensus;
}

interfaces::TransactionForwarder& Node::forwarder() {
    return *parts_->forwarder;
}

interfaces::Links& Node::links() {
    return *parts_->peers;
}

interfaces::BlockFollower& Node::follower() {
    return *parts_->follower;
}

interfaces::NodeSigner& Node::signer() {
    return *parts_->signer;
}

interfaces::Blockstore& Node::blockstore() {
    return *parts_->blockstore;
}

interfaces::ContentSource& Node::content() {
    return *parts_->fetcher;
}

interfaces::Providers& Node::providers() {
    return *parts_->providers;
}

interfaces::Acknowledgements& Node::acknowledgements() {
    return *parts_->acknowledgements;
}

publisher::Publisher& Node::publisher() {
    return *parts_->publisher;
}

rpc::RpcService& Node::rpc() {
    return *parts_->rpc;
}

affair::Registry& Node::registry() {
    return parts_->registry;
}

void Node::stop(Instant deadline, affair::StopCallback done) {
    parts_->rpc->stop();
    parts_->disk_registry.stop_all(
        affair::StopPolicy::Drain,
        deadline,
        [&registry = parts_->registry, deadline, done = std::move(done)](
            affair::StopReport content) mutable {
            registry.stop_all(affair::StopPolicy::Drain,
                              deadline,
                              [content = std::move(content),
                               done = std::move(done)](affair::StopReport rest) mutable {
                                  std::ranges::move(rest.unfinished,
                                                    std::back_inserter(content.unfinished));
                                  done(std::move(content));
                              });
        });
}

}  // namespace draco::node
