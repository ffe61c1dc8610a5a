// Proves that a configuration survives its file, that whatever is wrong in one is refused with the
// line and what would be right, and that the file is replaced whole or not at all.

#include "draco/node/config.hpp"

#include "draco/base/rng.hpp"
#include "draco/node/nearest.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace draco::node {
namespace {

std::string refusal(std::string_view toml) {
    const auto parsed = parse_config(toml);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().code, Errc::InvalidArgument);
    return parsed.error().context;
}

std::string worker_address(std::uint64_t seed) {
    simulon::SeededRng rng(seed);
    return to_text(interfaces::PeerAddress{
        types::NodeSecretKey::generate(rng).public_key(), "worker.example.org", 4400});
}

TEST(Config, EmptyFileIsTheDefault) {
    EXPECT_EQ(parse_config("").value(), NodeConfig());
}

TEST(Config, DefaultsPassTheirOwnRanges) {
    EXPECT_EQ(parse_config(render_config(NodeConfig())).value(), NodeConfig());
}

TEST(Config, EveryChangedValueSurvivesTheFile) {
    NodeConfig config;
    config.node = {.data_directory = "a/b", .genesis_file = "g", .advertised_host = "host.example"};
    config.keys = {.directory = "k", .password_file = "p \"quoted\" \\ back"};
    config.log = {.directory = "l",
                  .level = "debug",
                  .json = true,
                  .file_bytes_max = 100'000,
                  .files_max = 7};
    config.links = {.address = "::1", .port = 1, .guests_max = 2};
    config.http = {.address = "0.0.0.0", .port = 3};
    config.session = {.address = "10.0.0.1", .port = 4};
    config.rpc = {.address = "10.0.0.2", .port = 5, .connections_max = 6, .requests_per_s = 7};
    config.consensus = {.batch_delay_ms = 11,
                        .batch_bytes = 5000,
                        .leader_timeout_ms = 12,
                        .leader_timeout_max_ms = 13,
                        .retry_ms = 14,
                        .retry_max_ms = 15,
                        .request_deadline_ms = 16,
                        .own_bytes_max = 1 << 21,
                        .held_bytes_max = 1 << 25,
                        .served_bytes_per_s = 1 << 22,
                        .workers = {worker_address(1), worker_address(2)}};
    config.ledger = {.archive_bytes_max = std::uint64_t{1} << 40};
    config.state = {.backend = "memory",
                    .durability = "sync",
                    .block_cache_bytes = 1 << 21,
                    .page_cache_bytes = 1 << 22};
    config.executor = {.threads = 9};
    const auto parsed = parse_config(render_config(config));
    ASSERT_TRUE(parsed) << parsed.error().context;
    EXPECT_EQ(*parsed, config);
    EXPECT_NE(*parsed, NodeConfig());
}

TEST(Config, UnknownKeyIsRefusedWithItsLineAndTheNearest) {
    EXPECT_EQ(refusal("[links]\naddress = \"::1\"\n\nprot = 4300\n"),
              "config.toml:4: unknown key 'prot' in [links]; did you mean 'port'?");
    EXPECT_EQ(refusal("[executor]\nxyzzy = 1\n"),
              "config.toml:2: unknown key 'xyzzy' in [executor]; there are: threads, disk_threads");
}

TEST(Config, UnknownSectionIsRefusedWithItsLineAndTheNearest) {
    EXPECT_EQ(refusal("# hello\n[lniks]\nport = 4300\n"),
              "config.toml:2: unknown section [lniks]; did you mean 'links'?");
    EXPECT_EQ(refusal("port = 1\n").substr(0, 36), "config.toml:1: unknown section [port");
    EXPECT_EQ(refusal("links = 1\n"),
              "config.toml:1: 'links' is a section: write [links] on a line of its own");
}

TEST(Config, WrongTypesAndRangesSayWhatIsAllowed) {
    EXPECT_EQ(refusal("[links]\nport = \"4300\"\n"),
              "config.toml:2: [links] port must be a whole number from 1 to 65535");
    EXPECT_EQ(refusal("[links]\nport = 0\n"),
              "config.toml:2: [links] port must be a whole number from 1 to 65535, not 0");
    EXPECT_EQ(refusal("[links]\nport = 65536\n"),
              "config.toml:2: [links] port must be a whole number from 1 to 65535, not 65536");
    EXPECT_EQ(
        refusal("[rpc]\nrequests_per_s = -1\n"),
        "config.toml:2: [rpc] requests_per_s must be a whole number from 1 to 1000000, not -1");
    EXPECT_EQ(refusal("[rpc]\nrequests_per_s = 1.5\n"),
              "config.toml:2: [rpc] requests_per_s must be a whole number from 1 to 1000000");
    EXPECT_EQ(refusal("[log]\njson = \"yes\"\n"),
              "config.toml:2: [log] json must be true or false");
    EXPECT_EQ(refusal("[log]\nlevel = \"loud\"\n"),
              "config.toml:2: [log] level must be trace, debug, info, warn or error");
    EXPECT_EQ(refusal("[state]\nbackend = \"sqlite\"\n"),
              "config.toml:2: [state] backend must be rocksdb or memory");
    EXPECT_EQ(
        refusal("[links]\naddress = \"a b\"\n"),
        "config.toml:2: [links] address must be a host name or an IP address, without a port");
}

TEST(Config, WorkersAreKeysWithPlaces) {
    const std::string one = "\"" + worker_address(1) + "\"";
    const std::string two = "\"" + worker_address(2) + "\"";
    const auto list = [](const std::string& text) {
        return "[consensus]\nworkers = [" + text + "]\n";
    };
    EXPECT_EQ(parse_config(list("")).value(), NodeConfig());
    EXPECT_EQ(parse_config(list(one + ",\n  " + two)).value().consensus.workers,
              (std::vector<std::string>{worker_address(1), worker_address(2)}));
    const std::string texts = "[consensus] workers must be a list of at most 16 texts in quotes";
    EXPECT_EQ(refusal("[consensus]\nworkers = " + one + "\n"), "config.toml:2: " + texts);
    EXPECT_EQ(refusal(list(one + ",\n 4400")), "config.toml:3: " + texts);
    std::string many = one;
    for (int i = 0; i < 16; ++i) many += ", " + one;
    EXPECT_EQ(refusal(list(many)), "config.toml:2: " + texts);
    EXPECT_EQ(refusal(list(one + ",\n\"worker.example.org:4400\"")),
              "config.toml:3: [consensus] workers must be a list of \"KEY@HOST:PORT\", as draco "
              "worker init prints it: a node key, and where it is");
    EXPECT_TRUE(refusal(list(one + ", " + one)).contains("twice: each worker has a home"))
        << refusal(list(one + ", " + one));
}

TEST(Config, PathsStayInTheHome) {
    for (const std::string_view path : {"/etc", "../x", "a/../b", "a//b", "", ".", "a/"})
        EXPECT_EQ(refusal("[node]\ndata_directory = \"" + std::string(path) + "\"\n"),
                  "config.toml:2: [node] data_directory must be a path relative to the home, "
                  "inside it, such as \"data\"")
            << path;
}

TEST(Config, ContradictionsAreRefused) {
    EXPECT_EQ(refusal("[rpc]\nport = 4300\n"),
              "config.toml:2: [links] and [rpc] have the same port 4300");
    EXPECT_EQ(refusal("[consensus]\n\nretry_ms = 5000\n"),
              "config.toml:3: [consensus] retry_ms is more than retry_max_ms");
    EXPECT_EQ(refusal("[rpc]\nport = 7\n[http]\nport = 7\n[consensus]\nretry_max_ms = 1\n"),
              "config.toml:4: [http] and [rpc] have the same port 7\n"
              "config.toml:6: [consensus] retry_ms is more than retry_max_ms");
}

TEST(Config, AllMistakesAreToldInTheOrderOfTheFile) {
    EXPECT_EQ(
        refusal("[rpc]\nport = 0\nprot = 1\n[nod]\nx = 1\n[log]\nlevel = \"loud\"\njson = 1\n"),
        "config.toml:2: [rpc] port must be a whole number from 1 to 65535, not 0\n"
        "config.toml:3: unknown key 'prot' in [rpc]; did you mean 'port'?\n"
        "config.toml:4: unknown section [nod]; did you mean 'node'?\n"
        "config.toml:7: [log] level must be trace, debug, info, warn or error\n"
        "config.toml:8: [log] json must be true or false");
    std::string many = "[rpc]\n";
    for (std::size_t i = 0; i < kConfigMistakesTold + 3; ++i)
        many += "key" + std::to_string(100 + i) + " = 1\n";
    const std::string told = refusal(many);
    EXPECT_EQ(std::ranges::count(told, '\n'), kConfigMistakesTold);
    EXPECT_TRUE(told.ends_with("\nand 3 more")) << told;
}

TEST(Config, AHostHasNoPort) {
    for (const std::string_view host :
         {"node.example.org", "192.0.2.1", "::1", "2001:db8::1", "a_b-c"})
        EXPECT_TRUE(check_host(host)) << host;
    for (const std::string_view host : {"node.example.org:4300",
                                        "192.0.2.1:4300",
                                        "[::1]",
                                        "[::1]:4300",
                                        "",
                                        "a b",
                                        "a/b",
                                        ":"}) {
        EXPECT_FALSE(check_host(host)) << host;
        EXPECT_EQ(refusal("[node]\nadvertised_host = \"" + std::string(host) + "\"\n"),
                  "config.toml:2: [node] advertised_host must be a host name or an IP address, "
                  "without a port");
    }
}

TEST(Config, WhatIsNotTomlIsRefusedWithItsLine) {
    EXPECT_EQ(refusal("[links]\nport = \n").substr(0, 25), "config.toml:2: not TOML: ");
    EXPECT_EQ(refusal("[links]\nport = 1\nport = 2\n").substr(0, 25), "config.toml:3: not TOML: ");
    EXPECT_EQ(refusal(std::string(kConfigBytesMax + 1, '#')),
              "config.toml: longer than 262144 bytes");
}

TEST(Config, RandomDamageIsRefusedOrStillAConfig) {
    std::mt19937_64 random(testing::test_seed(4300));
    const std::string whole = render_config(NodeConfig());
    for (std::uint64_t i = 0; i < testing::scaled(2000); ++i) {
        std::string damaged = whole;
        for (int changes = 0; changes < 3; ++changes)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        const auto parsed = parse_config(damaged);
        if (parsed)
            EXPECT_EQ(parse_config(render_config(*parsed)).value(), *parsed);
        else
            EXPECT_TRUE(parsed.error().context.starts_with("config.toml"));
    }
}

TEST(Config, TheFileIsReplacedWholeWhereverPowerFails) {
    NodeConfig before;
    NodeConfig after;
    after.links.port = 5300;
    std::uint64_t changes = 0;
    for (std::uint64_t n = 0; n == 0 || n <= changes; ++n) {
        simulon::SimulatedDisk disk(n + 1);
        ASSERT_TRUE(save_config(disk, before));
        const std::uint64_t start = disk.change_count();
        disk.crash_at_change(n);
        const auto saved = save_config(disk, after);
        if (n == 0) changes = disk.change_count() - start;
        EXPECT_EQ(saved.has_value(), n == 0);
        disk.crash();
        disk.restart();
        const auto loaded = load_config(disk);
        ASSERT_TRUE(loaded) << n << ": " << loaded.error().context;
        EXPECT_TRUE(*loaded == after || (*loaded == before && n != 0)) << n;
    }
    EXPECT_GE(changes, 4U);
}

TEST(Config, AMissingFileIsNotFound) {
    simulon::SimulatedDisk disk(1);
    EXPECT_EQ(load_config(disk).error().code, Errc::NotFound);
}

TEST(Nearest, FindsTyposAndNothingElse) {
    constexpr std::array<std::string_view, 4> kKnown = {"port", "address", "guests_max", "level"};
    EXPECT_EQ(nearest("prot", kKnown), "port");
    EXPECT_EQ(nearest("pot", kKnown), "port");
    EXPECT_EQ(nearest("ports", kKnown), "port");
    EXPECT_EQ(nearest("adress", kKnown), "address");
    EXPECT_EQ(nearest("guest_max", kKnown), "guests_max");
    EXPECT_EQ(nearest("xyz", kKnown), std::nullopt);
    EXPECT_EQ(nearest("", kKnown), std::nullopt);
    EXPECT_EQ(nearest(std::string(1000, 'p'), kKnown), std::nullopt);
}

}  // namespace
}  // namespace draco::node
