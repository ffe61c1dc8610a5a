// Proves that a worker's configuration survives its file, and that what is wrong in one is refused
// with the line and what would be right.

#include "draco/node/worker_config.hpp"

#include "draco/node/peer_address.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <random>

namespace draco::node {
namespace {

std::string some_node() {
    simulon::SeededRng rng(8);
    return to_text(interfaces::PeerAddress{
        types::NodeSecretKey::generate(rng).public_key(), "node.example.org", 4300});
}

WorkerConfig some_config() {
    WorkerConfig config;
    config.worker.node = some_node();
    return config;
}

std::string refusal(const std::string& toml) {
    const auto parsed = parse_worker_config(toml);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().code, Errc::InvalidArgument);
    return parsed.error().context;
}

TEST(WorkerConfig, EveryChangedValueSurvivesTheFile) {
    WorkerConfig config = some_config();
    EXPECT_EQ(parse_worker_config(render_worker_config(config)).value(), config);
    config.worker.index = 15;
    config.worker.data_directory = "d";
    config.worker.genesis_file = "g";
    config.worker.advertised_host = "worker.example.org";
    config.keys = {.directory = "k", .password_file = "p"};
    config.log = {.directory = "l",
                  .level = "debug",
                  .json = true,
                  .file_bytes_max = 100'000,
                  .files_max = 7};
    config.links = {.address = "0.0.0.0", .port = 1, .guests_max = 2};
    config.health = {.address = "::1", .port = 3};
    config.consensus.batch_delay_ms = 4;
    config.consensus.batch_bytes = 5000;
    config.consensus.retry_ms = 6;
    config.consensus.retry_max_ms = 7;
    config.consensus.request_deadline_ms = 8;
    config.consensus.own_bytes_max = 1 << 21;
    config.consensus.held_bytes_max = 1 << 25;
    config.consensus.served_bytes_per_s = 1 << 22;
    config.executor.threads = 9;
    EXPECT_EQ(parse_worker_config(render_worker_config(config)).value(), config);
}

TEST(WorkerConfig, SaysWhoseWorkerItIs) {
    EXPECT_EQ(refusal(""),
              "worker.toml: [worker] node is missing: whose worker is it? Write node = "
              "\"KEY@HOST:PORT\"");
    EXPECT_EQ(
        refusal("[worker]\nnode = \"somewhere:4300\"\n"),
        "worker.toml:2: [worker] node must be \"KEY@HOST:PORT\": a node's key, and where that "
        "has its links");
}

TEST(WorkerConfig, MistakesSayWhatIsAllowed) {
    const std::string node = "[worker]\nnode = \"" + some_node() + "\"\n";
    EXPECT_EQ(refusal(node + "index = 16\n"),
              "worker.toml:3: [worker] index must be a whole number from 0 to 15, not 16");
    EXPECT_EQ(refusal(node + "[consensus]\nworkers = []\n").substr(0, 50),
              "worker.toml:4: unknown key 'workers' in [consensus");
    EXPECT_EQ(refusal(node + "[rpc]\nport = 1\n").substr(0, 36),
              "worker.toml:3: unknown section [rpc]");
    EXPECT_EQ(refusal(node + "[health]\nport = 4400\n"),
              "worker.toml:4: [links] and [health] have the same port 4400");
}

TEST(WorkerConfig, RandomDamageIsRefusedOrStillAConfig) {
    std::mt19937_64 random(testing::test_seed(4260));
    const std::string whole = render_worker_config(some_config());
    for (std::uint64_t i = 0; i < testing::scaled(1000); ++i) {
        std::string damaged = whole;
        for (int changes = 0; changes < 3; ++changes)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        if (const auto parsed = parse_worker_config(damaged))
            EXPECT_EQ(parse_worker_config(render_worker_config(*parsed)).value(), *parsed);
        else
            EXPECT_TRUE(parsed.error().context.starts_with("worker.toml"));
    }
}

TEST(WorkerConfig, IsFoundInItsHome) {
    simulon::SimulatedDisk disk(1);
    EXPECT_EQ(load_worker_config(disk).error().code, Errc::NotFound);
    ASSERT_TRUE(save_worker_config(disk, some_config()));
    EXPECT_EQ(load_worker_config(disk).value(), some_config());
}

}  // namespace
}  // namespace draco::node
