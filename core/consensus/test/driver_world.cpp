#include "driver_world.hpp"

#include "simulated_ledger.hpp"
#include "simulated_links.hpp"

#include <algorithm>

namespace draco::consensus::test {
namespace {

// Fetches certified blocks of linked peers right from their disks, as core/sync would over links.
class SimulatedFollower final : public interfaces::BlockFollower {
public:
    SimulatedFollower(const simulon::Host& host,
                      Cluster& cluster,
                      const interfaces::Links& links,
                      interfaces::Ledger& ledger)
        : host_(host), cluster_(cluster), links_(links), ledger_(ledger) {
        poll();
    }

    void follow() override {
        host_.executor.post_after(milliseconds(5), [this] { fetch(); });
    }

    // What was known when it last looked: as with the real one, a certificate of an epoch can be
    // verified only some time after the block before the epoch was executed.
    interfaces::SyncStatus status() const override { return {.known = known_}; }

private:
    void poll() {
        host_.executor.post_after(milliseconds(400), [this] {
            fetch();
            poll();
        });
    }

    const Home* best_home() const {
        const Home* best = nullptr;
        for (const types::NodeKey& peer : links_.connected()) {
            const PeerId machine = *cluster_.machine_of(peer);
            if (machine.value() >= cluster_.homes.size()) continue;  // a worker
            const Home& home = cluster_.homes[machine.value()];
            if (home.certificate && (best == nullptr || best->certificate->statement.height <
                                                            home.certificate->statement.height))
                best = &home;
        }
        return best;
    }

    // The members' own cores get a while for what is new.
    void fetch() {
        const Home* best = best_home();
        if (best == nullptr) return;
        if (best->certificate->statement.epoch <= ledger_.view()->epoch().epoch)
            known_ = best->certificate->statement.height;
        const std::uint64_t known = best->certificate->statement.height.value();
        for (std::uint64_t height = ledger_.view()->head().height.value() + 1; height <= known;
             ++height) {
            const auto archived =
                bcs::decode<interfaces::ArchivedBlock>(best->archive[height - 1]).value();
            auto block = SimulatedLedger::content_of(archived);
            block.digest = types::digest_of(cluster_.genesis.chain, block.block);
            if (ledger_.append(std::move(block), interfaces::BlockOrigin::Followed)) continue;
            follow();  // with what the ledger has no room for yet
            break;
        }
        static_cast<void>(ledger_.certify(*best->certificate));
    }

    const simulon::Host& host_;
    Cluster& cluster_;
    const interfaces::Links& links_;
    interfaces::Ledger& ledger_;
    types::Height known_;
};

// One method at a time, submitted again until it is executed.
class SimulatedSigner final : public interfaces::NodeSigner {
public:
    SimulatedSigner(const simulon::Host& host,
                    Cluster& cluster,
                    const types::NodeSecretKey& key,
                    interfaces::Ledger& ledger,
                    interfaces::TransactionForwarder& forwarder)
        : host_(host), cluster_(cluster), key_(key), ledger_(ledger), forwarder_(forwarder) {}

    void execute(types::Method method, Done done) override {
        if (done_) {
            host_.executor.post([done = std::move(done)]() mutable {
                done(fail(Errc::Exhausted, "one at a time"));
            });
            return;
        }
        method_ = std::move(method);
        done_ = std::move(done);
        submit();
    }

    interfaces::SignerStatus status() const override { return {}; }

private:
    void submit() {
        const auto record = ledger_.view()->node(key_.public_key()).value();
        const types::Nonce nonce(record->nonce.value() + 1);
        const types::Transaction transaction{key_.public_key(), nonce, {}, method_};
        hash_ = types::digest_of(cluster_.genesis.chain, transaction);
        forwarder_.submit(bcs::encode(types::sign(cluster_.genesis.chain, transaction, key_)),
                          [](const auto&) {});
        look(0);
    }

    void look(int times) {
        host_.executor.post_after(milliseconds(100), [this, times] {
            if (const auto receipt = ledger_.view()->receipt(hash_).value())
                return std::exchange(done_, nullptr)(*receipt);
            times < 15 ? look(times + 1) : submit();
        });
    }

    const simulon::Host& host_;
    Cluster& cluster_;
    const types::NodeSecretKey& key_;
    interfaces::Ledger& ledger_;
    interfaces::TransactionForwarder& forwarder_;
    types::Method method_;
    types::TransactionHash hash_;
    Done done_;
};

// The people at this machine: each sends transfers one after the other, again if one got lost.
class Clients {
public:
    Clients(const simulon::Host& host,
            Cluster& cluster,
            interfaces::Ledger& ledger,
            interfaces::TransactionForwarder& forwarder)
        : host_(host), cluster_(cluster), ledger_(ledger), forwarder_(forwarder) {
        for (std::size_t i = host.id.value(); i < cluster.people_at_nodes;
             i += cluster.homes.size())
            people_.push_back({i, 0, {}});
        tick();
    }

private:
    void tick() {
        host_.executor.post_after(milliseconds(20), [this] {
            for (Cluster::Person& person : people_)
                if (auto transaction =
                        cluster_.next_transaction(person, ledger_, host_.clock.now()))
                    forwarder_.submit(*std::move(transaction), [](const auto&) {});
            tick();
        });
    }

    const simulon::Host& host_;
    Cluster& cluster_;
    interfaces::Ledger& ledger_;
    interfaces::TransactionForwarder& forwarder_;
    std::vector<Cluster::Person> people_;
};

class MachineProgram final : public Machine {
public:
    MachineProgram(const simulon::Host& host, std::shared_ptr<Cluster> cluster)
        : cluster_(std::move(cluster)),
          key_(cluster_->keys[host.id.value()]),
          home_(cluster_->homes[host.id.value()]),
          registry_(
              host.executor,
              [this](const affair::Escalation& escalation) {
                  escalations_.push_back(escalation.name + ": " + to_string(escalation.error));
              }),
          links_(host, key_.public_key(), *cluster_),
          ledger_(host, *cluster_, home_),
          follower_(host, *cluster_, links_, ledger_),
          driver_({host.executor, host.disk, registry_, links_, ledger_, log_},
                  key_.clone(),
                  cluster_->genesis.chain,
                  cluster_->parameters,
                  options()),
          forwarder_(
              host.executor,
              registry_,
              links_,
              ledger_,
              driver_,
              [this](ByteView transaction) { return ledger_.application().admit(transaction, 64); },
              log_),
          signer_(host, *cluster_, key_, ledger_, forwarder_),
          timer_(host.executor, registry_, ledger_, driver_, signer_, key_.public_key(), log_),
          clients_(host, *cluster_, ledger_, forwarder_) {
        driver_.set_follower(&follower_);
        driver_.set_forwarder(&forwarder_);
        for (const auto& started : {forwarder_.start(), driver_.start(), timer_.start()})
            if (!started)
                cluster_->audit.violations.push_back("start: " + to_string(started.error()));
        home_.is_new = false;
        cluster_->ledgers[host.id.value()] = &ledger_;
    }

    ~MachineProgram() override {
        for (const interfaces::Ledger*& ledger : cluster_->ledgers)
            if (ledger == &ledger_) ledger = nullptr;
    }

    MachineProgram(const MachineProgram&) = delete;
    MachineProgram& operator=(const MachineProgram&) = delete;

    ConsensusDriver& driver() override { return driver_; }

    Forwarder& forwarder() override { return forwarder_; }

    interfaces::Ledger& ledger() override { return ledger_; }

    const std::vector<std::string>& escalations() const override { return escalations_; }

    std::uint64_t messages_sent() const override { return links_.messages_sent(); }

    const log::MemoryLog& log() const override { return log_; }

private:
    DriverOptions options() const {
        DriverOptions options;
        const std::size_t self = cluster_->machine_of(key_.public_key())->value();
        for (std::size_t i = 0; i < cluster_->workers_told[self]; ++i)
            options.workers.push_back(
                {cluster_->key_of(cluster_->worker_machine(self, i)), "worker", 4600});
        options.home_is_new = home_.is_new;
        options.signed_elsewhere = home_.signed_elsewhere;
        options.linger = seconds(5);
        options.log_segment_bytes = std::uint64_t{4} << 20;
        return options;
    }

    std::shared_ptr<Cluster> cluster_;
    const types::NodeSecretKey& key_;
    Home& home_;
    std::vector<std::string> escalations_;
    log::MemoryLog log_{log::Level::Error, 1'000};
    affair::Registry registry_;
    SimulatedLinks links_;
    SimulatedLedger ledger_;
    SimulatedFollower follower_;
    ConsensusDriver driver_;
    Forwarder forwarder_;
    SimulatedSigner signer_;
    EpochTimer timer_;
    Clients clients_;
};

}  // namespace

void Audit::sent(const types::NodeKey& by, types::ChainId chain, ByteView bytes) {
    const auto message = decode_message(bytes);
    if (!message) {
        violations.emplace_back("a message that does not decode was sent");
        return;
    }
    if (std::holds_alternative<types::Batch>(*message)) batch_senders.insert(by);
    if (const auto* vote = std::get_if<types::Vote>(&*message)) {
        ++signatures[{by, vote->epoch.value()}];
        const auto [known, is_first] = votes.try_emplace(
            {by, vote->epoch.value(), vote->author.value(), vote->round.value()}, vote->header);
        if (!is_first && known->second != vote->header)
            violations.emplace_back("a member voted twice in a round");
    }
    if (const auto* header = std::get_if<types::SignedHeader>(&*message)) {
        const types::Header& content = header->header;
        ++signatures[{by, content.epoch.value()}];
        const auto digest = types::digest_of(chain, content);
        const auto [known, is_first] =
            headers.try_emplace({by, content.epoch.value(), content.round.value()}, digest);
        if (!is_first && known->second != digest)
            violations.emplace_back("a member proposed twice in a round");
    }
    if (const auto* signature = std::get_if<BlockSignature>(&*message))
        ++signatures[{by, signature->statement.epoch.value()}];
}

void Audit::executed(const types::Block& block,
                     const types::BlockDigest& digest,
                     const types::StateRoot& root) {
    const auto [known, is_first] =
        blocks.try_emplace(block.height.value(), std::pair(digest, root));
    if (!is_first && known->second != std::pair(digest, root))
        violations.push_back("fork at height " + std::to_string(block.height.value()));
}

std::optional<PeerId> Cluster::machine_of(const types::NodeKey& key) const {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i].public_key() == key) return PeerId(static_cast<std::uint32_t>(i));
    for (std::size_t i = 0; i < worker_keys.size(); ++i)
        if (worker_keys[i].public_key() == key)
            return PeerId(static_cast<std::uint32_t>(keys.size() + i));
    return std::nullopt;
}

types::NodeKey Cluster::key_of(PeerId machine) const {
    return machine.value() < keys.size() ? keys[machine.value()].public_key()
                                         : worker_keys[machine.value() - keys.size()].public_key();
}

std::optional<Bytes> Cluster::next_transaction(Person& person,
                                               const interfaces::Ledger& ledger,
                                               Instant now) {
    const types::Address& address = addresses[person.number];
    const std::uint64_t executed = ledger.view()->account(address).value().nonce.value();
    if (executed >= transactions_each) return std::nullopt;
    if (person.submitted == executed + 1) {
        if (now < person.at + seconds(2)) return std::nullopt;
        ++resubmitted;
    }
    person.submitted = executed + 1;
    person.at = now;
    const types::Transaction transaction{address,
                                         types::Nonce(person.submitted),
                                         {1'000'000},
                                         types::TransferFlk{address, types::FlkAmount{1}}};
    return bcs::encode(types::sign(genesis.chain, transaction, people[person.number]));
}

std::shared_ptr<Cluster> make_cluster(const ClusterOptions& options) {
    auto cluster = std::make_shared<Cluster>();
    simulon::SeededRng rng(7);
    types::Genesis& genesis = cluster->genesis;
    genesis.chain = types::ChainId(1337);
    genesis.time = simulon::WorldOptions{}.unix_start;
    genesis.parameters = {.epoch_ms = options.epoch_ms,
                          .committee_size_min = 1,
                          .committee_size_max = 4,
                          .stake_min = {1'000},
                          .unbonding_epochs = 2,
                          .fee_base = {1},
                          .fee_per_byte = {0},
                          .node_transactions_max = 100};
    const std::size_t people = options.people + options.machines * options.workers;
    for (std::size_t i = 0; i < std::max(people, options.machines); ++i) {
        auto person = types::AccountSecretKey::generate(rng);
        const auto address = crypto::ethereum_address(person.public_key());
        static_cast<void>(
            genesis.accounts.try_push_back(types::GenesisAccount{address, {1'000'000}, {0}}));
        if (i < options.machines) {
            cluster->keys.push_back(types::NodeSecretKey::generate(rng));
            types::NodeEndpoints endpoints;
            endpoints.host = decltype(endpoints.host)::make("node").value();
            static_cast<void>(genesis.nodes.try_push_back(types::GenesisNode{
                cluster->keys.back().public_key(), address, {1'000}, endpoints}));
        }
        if (i < people) {
            cluster->people.push_back(std::move(person));
            cluster->addresses.push_back(address);
        }
    }
    for (std::size_t i = 0; i < options.machines * options.workers; ++i)
        cluster->worker_keys.push_back(types::NodeSecretKey::generate(rng));
    cluster->workers_each = options.workers;
    cluster->workers_told.assign(options.machines, options.workers);
    cluster->people_at_nodes = options.people;
    cluster->homes.resize(options.machines);
    cluster->ledgers.resize(options.machines);
    cluster->transactions_each = options.transactions_each;
    return cluster;
}

simulon::ProgramFactory machine_factory(const std::shared_ptr<Cluster>& cluster) {
    return [cluster](const simulon::Host& host) {
        return std::make_unique<MachineProgram>(host, cluster);
    };
}

Machine& machine(simulon::World& world, std::size_t index) {
    return dynamic_cast<Machine&>(world.program(PeerId(static_cast<std::uint32_t>(index))));
}

std::uint64_t height_of(simulon::World& world, std::size_t index) {
    return machine(world, index).ledger().view()->head().height.value();
}

std::uint64_t epoch_of(simulon::World& world, std::size_t index) {
    return machine(world, index).ledger().view()->epoch().epoch.value();
}

bool all_executed(simulon::World& world, const Cluster& cluster) {
    for (std::size_t i = 0; i < cluster.homes.size(); ++i) {
        if (!world.running(PeerId(static_cast<std::uint32_t>(i)))) continue;
        const auto view = machine(world, i).ledger().view();
        for (const types::Address& address : cluster.addresses) {
            if (view->account(address).value().nonce.value() < cluster.transactions_each)
                return false;
        }
    }
    return true;
}

std::string describe(simulon::World& world, const Cluster& cluster) {
    std::string text;
    for (std::size_t i = 0; i < cluster.homes.size(); ++i) {
        text += "machine " + std::to_string(i) + ": ";
        if (!world.running(PeerId(static_cast<std::uint32_t>(i)))) {
            text += "down\n";
            continue;
        }
        Machine& m = machine(world, i);
        const auto status = m.driver().status();
        text += "epoch " + std::to_string(status.epoch.value()) + " role " +
                std::to_string(static_cast<int>(status.role)) + " " + status.reason + " round " +
                std::to_string(status.round.value()) + " height " +
                std::to_string(height_of(world, i)) + " refused " +
                std::to_string(status.messages_refused) + " waiting " +
                std::to_string(status.transactions_waiting_bytes);
        for (const std::string& escalation : m.escalations()) text += " ESCALATED " + escalation;
        text += "\n";
    }
    for (const std::string& violation : cluster.audit.violations) text += violation + "\n";
    return text;
}

void build(simulon::World& world,
           const std::shared_ptr<Cluster>& cluster,
           const simulon::LinkOptions& links,
           const simulon::NodeOptions& node) {
    for (std::size_t i = 0; i < cluster->homes.size(); ++i)
        world.add_node(machine_factory(cluster), node);
    world.connect_all(links);
    world.start_all();
}

Result<> no_violations(const Cluster& cluster) {
    if (cluster.audit.violations.empty()) return {};
    return fail(Errc::Corrupt, cluster.audit.violations.front());
}

}  // namespace draco::consensus::test
