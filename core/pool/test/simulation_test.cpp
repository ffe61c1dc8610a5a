// Pools over simulated links: whatever crashes, parts and is lost, every request has one outcome,
// what is answered is whole and in order, and in the end everybody answers everybody.

#include "draco/pool/pool.hpp"
#include "draco/simulon/fault_plan.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/testing/seed.hpp"

#include "simulated_peers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace draco::pool {
namespace {

using namespace std::chrono_literals;
using namespace draco::simulon;
using interfaces::Protocol;

types::NodeKey key_number(std::uint32_t number) {
    types::NodeKey key;
    key.data()[0] = static_cast<std::uint8_t>(number + 1);
    return key;
}

// Byte i of the answer to request `n`.
std::uint8_t answer_byte(std::uint64_t n, std::size_t i) {
    return static_cast<std::uint8_t>(n * 31 + i * 7 + (i >> 8));
}

// Of one run, across crashes of the nodes.
struct Verdict {
    std::string broken;
    std::uint64_t complete = 0;
    std::uint64_t other_outcomes = 0;
    std::uint64_t messages = 0;

    void require(bool holds, const char* what) {
        if (!holds && broken.empty()) broken = what;
    }
};

// Writes an answer of `size` bytes as credit allows.
class Answer : public std::enable_shared_from_this<Answer> {
public:
    Answer(std::unique_ptr<interfaces::Responder> to, std::uint64_t number, std::size_t size)
        : to_(std::move(to)), number_(number), size_(size) {}

    void go_on() {
        while (sent_ < size_) {
            Bytes chunk(std::min<std::size_t>(size_ - sent_, 40'000));
            for (std::size_t i = 0; i < chunk.size(); ++i)
                chunk[i] = answer_byte(number_, sent_ + i);
            const std::size_t bytes = chunk.size();
            const auto written = to_->write(std::move(chunk));
            if (!written && written.error().code == Errc::Exhausted)
                return to_->on_writable([self = shared_from_this()] { self->go_on(); });
            if (!written) return;
            sent_ += bytes;
        }
        to_->finish({});
    }

private:
    std::unique_ptr<interfaces::Responder> to_;
    std::uint64_t number_;
    std::size_t size_;
    std::size_t sent_ = 0;
};

class Node final : public Program, interfaces::MessageReceiver, interfaces::RequestHandler {
public:
    Node(const Host& host, const std::vector<types::NodeKey>& keys, Verdict& verdict)
        : host_(host),
          keys_(keys),
          verdict_(verdict),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_receiver(Protocol::Gossip, this);
        pool_.set_handler(Protocol::Blocks, this);
        act();
    }

    std::size_t linked() const { return linked_.size(); }

    void ask(const types::NodeKey& to);

private:
    struct Taker final : interfaces::ResponseReceiver {
        Taker(Node& of, std::uint64_t n, std::size_t s) : node(of), number(n), size(s) {}

        ~Taker() override { node.verdict_.require(ended || node.dying_, "a request has an end"); }

        void on_chunk(Bytes chunk) override {
            bool is_right = true;
            for (const std::uint8_t byte : chunk)
                is_right &= byte == answer_byte(number, received++);
            node.verdict_.require(is_right, "chunks are in order");
            node.verdict_.require(!ended, "nothing follows the end");
            node.pool_.grant(id, chunk.size());
        }

        void on_end(Result<> outcome) override {
            node.verdict_.require(!ended, "a request has one end");
            ended = true;
            if (outcome) {
                node.verdict_.require(received == size, "an answer that is complete is whole");
                ++node.verdict_.complete;
            } else {
                ++node.verdict_.other_outcomes;
            }
        }

        Node& node;
        std::uint64_t number;
        std::size_t size;
        interfaces::RequestId id{};
        std::size_t received = 0;
        bool ended = false;
    };

    struct DyingFlag {
        bool& flag;

        ~DyingFlag() { flag = true; }
    };

    void act() {
        for (const auto& key : keys_) {
            if (key == pool_.self()) continue;
            static_cast<void>(
                pool_.send(key, Protocol::Gossip, Channel::Consensus, Bytes(host_.rng.below(50))));
            if (host_.rng.below(3) == 0) ask(key);
        }
        host_.executor.post_after(50ms, [this] { act(); });
    }

    void on_message(const types::NodeKey& from, ByteView /*message*/) override {
        verdict_.require(linked_.contains(from), "messages come over links that are up");
        ++verdict_.messages;
    }

    void on_link_up(const types::NodeKey& peer) override {
        verdict_.require(linked_.insert(peer).second, "ups and downs alternate");
    }

    void on_link_down(const types::NodeKey& peer) override {
        verdict_.require(linked_.erase(peer) == 1, "ups and downs alternate");
    }

    void on_request(const types::NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        verdict_.require(request.size() == 16, "requests arrive whole");
        const auto number = load_le<std::uint64_t>(request.data());
        const auto size = load_le<std::uint64_t>(request.data() + 8);
        std::make_shared<Answer>(std::move(responder), number, size)->go_on();
    }

    const Host& host_;
    std::vector<types::NodeKey> keys_;
    Verdict& verdict_;
    std::set<types::NodeKey> linked_;
    std::uint64_t asked_ = 0;
    bool dying_ = false;
    log::NullLog log_;
    SimulatedPeers transport_;
    Pool pool_;
    DyingFlag dies_{dying_};  // first to go
};

void Node::ask(const types::NodeKey& to) {
    Bytes request(16);
    const std::uint64_t number = ++asked_;
    const std::uint64_t size = host_.rng.below(10) == 0 ? host_.rng.below(1'500'000) : 100;
    store_le(request.data(), number);
    store_le(request.data() + 8, size);
    auto taker = std::make_unique<Taker>(*this, number, size);
    Taker* const raw = taker.get();
    taker->ended = true;  // if it is refused, unheard
    const auto id = pool_.request(
        to,
        Protocol::Blocks,
        request,
        {.deadline = host_.clock.now() + Duration(std::chrono::milliseconds(host_.rng.below(4000))),
         .credit_bytes = host_.rng.below(2'000'000)},
        std::move(taker));
    if (!id) return;
    raw->ended = false;
    raw->id = *id;
    if (host_.rng.below(10) == 0)
        host_.executor.post_after(20ms, [this, id = *id] { pool_.cancel(id); });
}

constexpr std::uint32_t kNodes = 4;

Result<> links_hold(World& world, double loss) {
    Verdict verdict;
    std::vector<types::NodeKey> keys;
    for (std::uint32_t i = 0; i < kNodes; ++i) keys.push_back(key_number(i));
    for (std::uint32_t i = 0; i < kNodes; ++i)
        world.add_node(
            [&](const Host& host) { return std::make_unique<Node>(host, keys, verdict); });
    world.connect_all({.latency = Latency::uniform(1ms, 20ms),
                       .loss = loss,
                       .resend = 0.3,
                       .bandwidth_bytes_per_s = 20'000'000,
                       .queue_bytes_max = 1 << 20});
    world.start_all();
    schedule_faults(
        world, draw_faults(world, {.duration = 5s, .interval_mean = 200ms, .length_max = 1s}), 5s);
    DRACO_TRY_VOID(world.run_for(5s));
    const std::uint64_t before = verdict.complete;
    DRACO_TRY_VOID(world.run_until_true(
        [&] {
            for (std::uint32_t i = 0; i < kNodes; ++i)
                if (dynamic_cast<Node&>(world.program(PeerId(i))).linked() != kNodes - 1)
                    return false;
            return verdict.complete > before + 20 || !verdict.broken.empty();
        },
        20s));
    if (!verdict.broken.empty()) return fail(Errc::Corrupt, verdict.broken + " does not hold");
    if (verdict.messages == 0 || verdict.other_outcomes == 0)
        return fail(Errc::InvalidArgument, "the scenario tests nothing");
    return {};
}

TEST(Simulation, PoolsSurviveFaults) {
    const auto report = run_seeds([](World& world) { return links_hold(world, 0); },
                                  testing::test_seed(1),
                                  testing::scaled(50));
    EXPECT_TRUE(report.verdict) << to_string(report);
}

TEST(Simulation, PoolsSurviveFaultsAndSilentLoss) {
    const auto report = run_seeds([](World& world) { return links_hold(world, 0.02); },
                                  testing::test_seed(1000),
                                  testing::scaled(20));
    EXPECT_TRUE(report.verdict) << to_string(report);
}

}  // namespace
}  // namespace draco::pool
