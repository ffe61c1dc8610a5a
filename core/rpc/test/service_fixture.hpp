#pragma once
// A node of one machine, without peers: the real state machine under a ledger that executes when
// told, and stand-ins for everything else. Virtual time.

#include "draco/application/application.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/base/rng.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/rpc/service.hpp"
#include "draco/simulon/world.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace draco::rpc::testing {

using namespace draco::types;  // NOLINT(google-build-using-namespace): the vocabulary of the tests
namespace json = boost::json;

class SeededRng final : public Rng {
public:
    explicit SeededRng(std::uint64_t seed) : engine_(seed) {}

    void fill(MutByteView out) override {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

struct Person {
    explicit Person(Rng& rng)
        : secret(AccountSecretKey::generate(rng)),
          address(crypto::ethereum_address(secret.public_key())) {}

    AccountSecretKey secret;
    Address address;
};

struct Machine {
    explicit Machine(Rng& rng) : secret(NodeSecretKey::generate(rng)), key(secret.public_key()) {}

    NodeSecretKey secret;
    NodeKey key;
};

// Executes and archives in the caller's thread.
class TestLedger final : public interfaces::Ledger {
public:
    explicit TestLedger(std::unique_ptr<interfaces::Application> application)
        : application_(std::move(application)) {}

    Result<> append(interfaces::BlockWithContent content, interfaces::BlockOrigin origin) override {
        auto result = application_->execute({content.block, content.digest, content.batches});
        if (!result) return std::unexpected(result.error());
        const std::scoped_lock lock(mutex_);
        interfaces::ArchivedBlock archived{
            .block = content.block, .batches = {}, .certificate = {}};
        for (const auto& batch : content.batches)
            EXPECT_TRUE(archived.batches.try_push_back(*batch));
        archive_[content.block.height.value()] = bcs::encode(archived);
        const auto block = std::make_shared<const interfaces::LedgerBlock>(interfaces::LedgerBlock{
            .content = std::move(content), .origin = origin, .result = *std::move(result)});
        for (auto* observer : observers_) observer->on_block(block);
        return {};
    }

    Result<> certify(const BlockCertificate& /*certificate*/) override { return {}; }

    std::shared_ptr<const interfaces::StateView> view() const override {
        return application_->view().value();
    }

    std::optional<BlockCertificate> latest_certificate() const override { return std::nullopt; }

    Height lowest() const override { return Height(1); }

    Result<std::optional<Bytes>> read(Height height) const override {
        const std::scoped_lock lock(mutex_);
        const auto found = archive_.find(height.value());
        if (found == archive_.end()) return std::nullopt;
        return found->second;
    }

    void add_observer(interfaces::LedgerObserver& observer) override {
        const std::scoped_lock lock(mutex_);
        observers_.push_back(&observer);
    }

    void remove_observer(interfaces::LedgerObserver& observer) override {
        const std::scoped_lock lock(mutex_);
        std::erase(observers_, &observer);
    }

    std::size_t observers() const { return observers_.size(); }

    interfaces::Application& application() { return *application_; }

    // What the disk gives back instead.
    void damage(Height height, Bytes bytes) { archive_[height.value()] = std::move(bytes); }

private:
    std::unique_ptr<interfaces::Application> application_;
    mutable std::recursive_mutex mutex_;
    std::map<std::uint64_t, Bytes> archive_;
    std::vector<interfaces::LedgerObserver*> observers_;
};

class TestConsensus final : public interfaces::Consensus {
public:
    Result<> submit(TransactionBytes /*transaction*/) override { return {}; }

    interfaces::ConsensusStatus status() const override { return now; }

    interfaces::ConsensusStatus now;
};

// Keeps submissions until the test decides.
class TestForwarder final : public interfaces::TransactionForwarder {
public:
    void submit(Bytes transaction, Done done) override {
        const std::scoped_lock lock(mutex);
        submissions.emplace_back(std::move(transaction), std::move(done));
    }

    std::mutex mutex;
    std::deque<std::pair<Bytes, Done>> submissions;
};

class TestLinks final : public interfaces::Links {
public:
    using Keys = std::vector<NodeKey>;

    const NodeKey& self() const override { return key; }

    Result<> send(const NodeKey& /*to*/,
                  interfaces::Protocol /*protocol*/,
                  Channel /*channel*/,
                  ByteView /*message*/) override {
        return {};
    }

    void set_receiver(interfaces::Protocol /*protocol*/,
                      interfaces::MessageReceiver* /*receiver*/) override {}

    Result<interfaces::RequestId> request(
        const NodeKey& /*to*/,
        interfaces::Protocol /*protocol*/,
        Bytes /*request*/,
        const interfaces::RequestOptions& /*options*/,
        std::unique_ptr<interfaces::ResponseReceiver> /*receiver*/) override {
        return fail(Errc::Unavailable, "no links in this test");
    }

    void grant(interfaces::RequestId /*request*/, std::size_t /*bytes*/) override {}

    void cancel(interfaces::RequestId /*request*/) override {}

    void set_handler(interfaces::Protocol /*protocol*/,
                     interfaces::RequestHandler* /*handler*/) override {}

    void set_peers(std::vector<interfaces::PeerAddress> /*peers*/) override {}

    Keys connected() const override {
        Keys up;
        for (const auto& link : links)
            if (link.up) up.push_back(link.key);
        return up;
    }

    std::vector<interfaces::LinkSnapshot> snapshot() const override { return links; }

    NodeKey key{};
    std::vector<interfaces::LinkSnapshot> links;
};

class TestFollower final : public interfaces::BlockFollower {
public:
    void follow() override {}

    interfaces::SyncStatus status() const override { return now; }

    interfaces::SyncStatus now;
};

class TestSigner final : public interfaces::NodeSigner {
public:
    // Waits until the test decides.
    void execute(Method method, Done done) override {
        executions.emplace_back(std::move(method), std::move(done));
    }

    interfaces::SignerStatus status() const override {
        return {.executed = Nonce(3), .signed_last = Nonce(5), .pending = 2, .sent_again = 1};
    }

    std::deque<std::pair<Method, Done>> executions;
};

inline FlkAmount flk(std::uint64_t units) {
    return {units};
}

// People with 1,000,000 units of each token; four machines that take part.
class Chain {
public:
    static constexpr std::uint64_t kFunds = 1'000'000;

    Chain() {
        SeededRng rng(7);
        genesis.chain = ChainId(1337);
        genesis.time = simulon::WorldOptions{}.unix_start;
        genesis.parameters = {.epoch_ms = 10'000,
                              .committee_size_min = 1,
                              .committee_size_max = 4,
                              .stake_min = flk(1'000),
                              .unbonding_epochs = 2,
                              .fee_base = flk(10),
                              .fee_per_byte = flk(1),
                              .node_transactions_max = 3};
        for (int i = 0; i < 5; ++i) {
            people.emplace_back(rng);
            EXPECT_TRUE(genesis.accounts.try_push_back(
                GenesisAccount{people.back().address, flk(kFunds), UsdAmount{kFunds}}));
        }
        for (std::size_t i = 0; i < 4; ++i) {
            machines.emplace_back(rng);
            NodeEndpoints endpoints;
            endpoints.host = bcs::Bounded<std::string, kHostBytesMax>::make("127.0.0.1").value();
            EXPECT_TRUE(genesis.nodes.try_push_back(GenesisNode{
                machines.back().key, people[i].address, flk(1'000), std::move(endpoints)}));
        }
        EXPECT_TRUE(genesis.prices.try_push_back(
            GenesisPrice{Commodity::Bandwidth, UnitPrice{UsdAmount{20'000}, 1'000}}));
        EXPECT_TRUE(genesis.services.try_push_back(GenesisService{
            ServiceId(0),
            Service{ServiceName::make("cdn").value(), people[4].address, Commodity::Bandwidth}}));
        ledger = std::make_unique<TestLedger>(
            application::open(atomo::open_memory_storage(), genesis).value());
    }

    SignedTransaction transfer(std::size_t from,
                               std::uint64_t nonce,
                               std::uint64_t units,
                               std::uint64_t fee_max = 100'000) const {
        return sign(genesis.chain,
                    {people[from].address,
                     Nonce(nonce),
                     flk(fee_max),
                     TransferFlk{people[4].address, flk(units)}},
                    people[from].secret);
    }

    // The session key of person i.
    static SessionSecretKey session(std::size_t person) {
        SeededRng rng(100 + person);
        return SessionSecretKey::generate(rng);
    }

    SignedTransaction opening(std::size_t from,
                              std::uint64_t nonce,
                              std::size_t machine,
                              std::uint64_t reserve_units,
                              std::uint16_t lane = 0) const {
        return sign(genesis.chain,
                    {people[from].address,
                     Nonce(nonce),
                     flk(100'000),
                     OpenLane{machines[machine].key,
                              LaneIndex(lane),
                              ServiceId(0),
                              session(from).public_key(),
                              UsdAmount{reserve_units}}},
                    people[from].secret);
    }

    SignedDeliveryAck ack(std::size_t from,
                          std::size_t machine,
                          std::uint64_t instance,
                          std::uint64_t cumulative) const {
        return sign(genesis.chain,
                    DeliveryAck{people[from].address,
                                machines[machine].key,
                                LaneIndex(0),
                                LaneInstance(instance),
                                cumulative},
                    session(from));
    }

    SignedTransaction settlement(std::size_t machine,
                                 std::uint64_t nonce,
                                 const std::vector<SignedDeliveryAck>& acks,
                                 std::vector<PeerShare> peers = {}) const {
        return sign(genesis.chain,
                    {machines[machine].key,
                     Nonce(nonce),
                     {},
                     SettleLanes{decltype(SettleLanes::acks)::make(acks).value(),
                                 decltype(SettleLanes::peers)::make(std::move(peers)).value()}},
                    machines[machine].secret);
    }

    TransactionHash hash_of(const SignedTransaction& transaction) const {
        return digest_of(genesis.chain, transaction.transaction);
    }

    void run(const std::vector<Bytes>& transactions, std::uint64_t later_ms = 1) {
        const auto state = ledger->view();
        interfaces::BlockWithContent content;
        content.block.epoch = state->epoch().epoch;
        content.block.height = Height(state->head().height.value() + 1);
        content.block.parent = state->head().digest;
        content.block.timestamp = {state->head().timestamp.ms + later_ms};
        auto batch = std::make_shared<Batch>();
        batch->epoch = content.block.epoch;
        batch->sequence = content.block.height.value();
        for (const Bytes& bytes : transactions)
            EXPECT_TRUE(batch->transactions.try_push_back(bytes));
        EXPECT_TRUE(content.block.batches.try_push_back(digest_of(genesis.chain, *batch)));
        content.batches.push_back(std::move(batch));
        content.digest = digest_of(genesis.chain, content.block);
        const auto appended =
            ledger->append(std::move(content), interfaces::BlockOrigin::Consensus);
        EXPECT_TRUE(appended.has_value());
    }

    void run(const SignedTransaction& transaction) { run({bcs::encode(transaction)}); }

    // The committee's members, whose next nonces these are, end the epoch.
    void end_epoch(const std::vector<std::uint64_t>& nonces) {
        std::vector<Bytes> signals;
        signals.reserve(nonces.size());
        for (std::size_t i = 0; i < nonces.size(); ++i)
            signals.push_back(bcs::encode(sign(
                genesis.chain,
                {machines[i].key, Nonce(nonces[i]), {}, EndEpoch{ledger->view()->epoch().epoch}},
                machines[i].secret)));
        run(signals, genesis.parameters.epoch_ms);
    }

    Genesis genesis;
    std::vector<Person> people;
    std::vector<Machine> machines;
    std::unique_ptr<TestLedger> ledger;
};

// The parts of a node that the service asks, over any executor.
struct Parts {
    explicit Parts(Executor& on) : executor(on), registry(on) {
        links.key = chain.machines[0].key;
        for (std::size_t i = 1; i < 4; ++i)
            links.links.push_back({.key = chain.machines[i].key,
                                   .up = i != 3,
                                   .messages_received = 10 * i,
                                   .bytes_sent = 1000 * i});
    }

    ServiceDependencies dependencies() {
        return {.ledger = *chain.ledger,
                .consensus = consensus,
                .forwarder = forwarder,
                .links = links,
                .follower = follower,
                .signer = signer,
                .executor = executor,
                .registry = registry,
                .node_key = chain.machines[0].key,
                .version = "0.1.0-test",
                .process_usage = {},
                .http_counters = {},
                .admin = AdminAccess{.token = admin_token.clone(),
                                     .token_path = "data/admin-token",
                                     .endpoints = announced}};
    }

    // As HTTP carries it.
    std::string authorization() const { return "Bearer " + to_hex(admin_token.expose()); }

    SeededRng rng{11};
    AdminToken admin_token = AdminToken::draw(rng);
    NodeEndpoints announced{
        .host = bcs::Bounded<std::string, kHostBytesMax>::make("node.example").value(),
        .link_port = 1,
        .http_port = 2,
        .session_port = 3,
        .rpc_port = 4};
    Chain chain;
    TestConsensus consensus;
    TestForwarder forwarder;
    TestLinks links;
    TestFollower follower;
    TestSigner signer;
    Executor& executor;
    affair::Registry registry;
};

struct NothingRuns final : simulon::Program {};

// In virtual time.
class Node {
public:
    explicit Node(ServiceLimits limits = {}) {
        world.add_node([](const simulon::Host&) { return std::make_unique<NothingRuns>(); });
        world.start_all();
        parts = std::make_unique<Parts>(world.host(PeerId(0)).executor);
        service = RpcService::start(parts->dependencies(), limits).value();
    }

    // An answer to come, in a place of its own.
    std::shared_ptr<std::optional<std::string>> begin(std::string_view body,
                                                      std::string_view authorization = {},
                                                      std::string client = {}) {
        auto answer = std::make_shared<std::optional<std::string>>();
        service->handle(body,
                        [answer](std::string text) {
                            EXPECT_FALSE(answer->has_value()) << "answered twice";
                            *answer = std::move(text);
                        },
                        {.authorization = std::string(authorization), .client = std::move(client)});
        return answer;
    }

    // Runs what is due now.
    void settle() { EXPECT_TRUE(world.run_for(Duration(0)).has_value()); }

    std::string ask(std::string_view body) {
        const auto answer = begin(body);
        settle();
        EXPECT_TRUE(answer->has_value()) << "no answer to " << body;
        return answer->value_or("");
    }

    static std::string call_text(std::string_view method, std::string_view parameters = "[]") {
        return R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + R"(","params":)" +
               std::string(parameters) + "}";
    }

    // The whole answer.
    json::object call(std::string_view method, std::string_view parameters = "[]") {
        return json::parse(ask(call_text(method, parameters))).as_object();
    }

    json::value result(std::string_view method, std::string_view parameters = "[]") {
        const json::object answer = call(method, parameters);
        const auto* const found = answer.if_contains("result");
        EXPECT_NE(found, nullptr) << json::serialize(answer);
        return found == nullptr ? json::value() : *found;
    }

    json::object error(std::string_view method, std::string_view parameters = "[]") {
        const json::object answer = call(method, parameters);
        const auto* const found = answer.if_contains("error");
        EXPECT_NE(found, nullptr) << json::serialize(answer);
        return found == nullptr ? json::object() : found->as_object();
    }

    simulon::World world{1};
    std::unique_ptr<Parts> parts;
    std::unique_ptr<RpcService> service;
};

inline json::object parsed(const std::optional<std::string>& text) {
    return json::parse(text.value_or("{}")).as_object();
}

inline std::string hex0x(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

inline std::string in_quotes(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

}  // namespace draco::rpc::testing
