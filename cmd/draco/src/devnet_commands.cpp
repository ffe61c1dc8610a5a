#include "devnet_commands.hpp"

#include "draco/crypto/ethereum_address.hpp"
#include "draco/io/posix_disk.hpp"
#include "draco/node/devnet_genesis.hpp"

#include "content_owner.hpp"
#include "devnet_demo.hpp"
#include "epoch_lines.hpp"
#include "rounded.hpp"
#include "rpc_client.hpp"
#include "text_file.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <set>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::string_view kLockFile = "lock";
constexpr auto kStatusTimeout = std::chrono::seconds(3);
constexpr long kLookEveryS = 1;
constexpr std::size_t kKeyShownBytes = 8;  // of a key in a column

Result<Devnet> open_devnet(const Invocation& invocation) {
    DRACO_TRY(home, devnet_home(invocation));
    return Devnet::open(home);
}

// SIGINT and SIGTERM wait to be asked for; SIGCHLD wakes who waits.
class Signals {
public:
    Signals() {
        ::sigemptyset(&set_);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&set_, signal);
        ::sigprocmask(SIG_BLOCK, &set_, nullptr);
    }

    // Waits for a signal; true once one has asked for the end.
    bool wait(long seconds) {
        const timespec limit{.tv_sec = seconds, .tv_nsec = 0};
        const int signal = ::sigtimedwait(&set_, nullptr, &limit);
        if (signal > 0 && signal != SIGCHLD) ended_ = true;
        return ended_;
    }

    // Takes what has come.
    bool ended() {
        sigset_t pending;
        ::sigpending(&pending);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP})
            if (::sigismember(&pending, signal) == 1) ended_ = true;
        return ended_;
    }

private:
    sigset_t set_{};
    bool ended_ = false;
};

json::object node_json(const DevnetNodeRecord& node) {
    json::object made{{"index", node.index},
                      {"http", node.http_url()},
                      {"rpc", node.rpc_url()},
                      {"pid", nullptr},
                      {"height", nullptr},
                      {"epoch", nullptr},
                      {"peers", nullptr},
                      {"rss_mb", nullptr},
                      {"cpu_s", nullptr},
                      {"key", node.key},
                      {"running", false},
                      {"healthy", false},
                      {"role", nullptr},
                      {"state_root", nullptr}};
    if (!is_running(node.process)) return made;
    made["running"] = true;
    made["pid"] = node.process.pid;
    if (const auto load = load_of(node.process)) {
        made["rss_mb"] = rounded(load->rss_mb, 1);
        made["cpu_s"] = load->cpu_s;
    }
    const RpcClient client(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
    const auto status = client.ask("flk_node_status", {}, kStatusTimeout);
    if (!status || !status->is_object()) return made;
    const json::object& said = status->get_object();
    for (const char* name : {"height", "epoch", "healthy", "role", "state_root"})
        if (const auto* value = said.if_contains(name)) made[name] = *value;
    if (const auto* connected = said.if_contains("connected")) made["peers"] = *connected;
    return made;
}

json::value supply_json(const DevnetRecord& record) {
    for (const DevnetNodeRecord& node : record.nodes) {
        if (!is_running(node.process)) continue;
        const RpcClient client(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
        if (auto supply = client.ask("flk_get_supply", {}, kStatusTimeout))
            return *std::move(supply);
    }
    return nullptr;
}

std::string cell(const json::object& node, std::string_view name) {
    const json::value& value = node.at(name);
    if (value.is_null()) return "-";
    if (value.is_string()) return std::string(value.get_string());
    if (value.is_double()) {
        char text[32];
        std::snprintf(text, sizeof text, "%.1f", value.get_double());
        return text;
    }
    if (value.is_bool()) return value.get_bool() ? "yes" : "no";
    if (value.is_uint64()) return std::to_string(value.get_uint64());
    return value.is_int64() ? std::to_string(value.get_int64()) : "?";
}

void print_status(const json::array& nodes, const json::value& supply) {
    const std::vector<std::string> columns = {"index",
                                              "key",
                                              "pid",
                                              "healthy",
                                              "role",
                                              "height",
                                              "epoch",
                                              "peers",
                                              "rss_mb",
                                              "cpu_s",
                                              "http",
                                              "rpc"};
    std::vector<std::vector<std::string>> rows;
    for (const json::value& node : nodes) {
        std::vector<std::string> row;
        row.reserve(columns.size());
        for (const std::string& column : columns) row.push_back(cell(node.get_object(), column));
        row[1].resize(std::min(row[1].size(), kKeyShownBytes));
        rows.push_back(std::move(row));
    }
    print_table(columns, rows);
    if (const auto* object = supply.if_object(); object != nullptr && object->contains("flk"))
        std::printf("supply: %s FLK, %s USD; burned: %s FLK\n",
                    cell(*object, "flk").c_str(),
                    cell(*object, "usd").c_str(),
                    cell(*object, "flk_burned").c_str());
}

void print_urls(const Devnet& devnet) {
    std::vector<std::vector<std::string>> rows;
    for (const DevnetNodeRecord& node : devnet.record().nodes)
        rows.push_back({std::to_string(node.index),
                        std::to_string(node.process.pid),
                        node.rpc_url(),
                        node.http_url(),
                        "127.0.0.1:" + std::to_string(node.link_port)});
    print_table({"node", "pid", "rpc", "http", "links"}, rows);
}

Result<> print_accounts() {
    std::printf(
        "\nAccounts that began with %s FLK and USD each, of the public mnemonic\n  %s\n"
        "that every Ethereum developer's local chain uses: anybody can spend from them.\n",
        std::to_string(node::kDevnetFunds).c_str(),
        std::string(node::kDevnetMnemonic).c_str());
    for (std::uint32_t i = 0; i < node::kDevnetAccounts; ++i) {
        DRACO_TRY(key, node::devnet_account(i));
        std::printf("  --dev-account %u  %s\n",
                    i,
                    crypto::to_text(crypto::ethereum_address(key.public_key())).c_str());
    }
    return {};
}

Result<> print_banner(const Invocation& invocation, const Devnet& devnet) {
    if (invocation.json) {
        json::array nodes;
        for (const DevnetNodeRecord& node : devnet.record().nodes)
            nodes.emplace_back(json::object{{"index", node.index},
                                            {"http", node.http_url()},
                                            {"rpc", node.rpc_url()},
                                            {"pid", node.process.pid}});
        print_value(invocation, json::object{{"home", devnet.home()}, {"nodes", std::move(nodes)}});
        std::fflush(stdout);
        return {};
    }
    std::printf("Devnet of %zu nodes in %s, chain %llu, epochs of %llu s\n\n",
                devnet.record().nodes.size(),
                devnet.home().c_str(),
                static_cast<unsigned long long>(node::kDevnetChain),
                static_cast<unsigned long long>(devnet.record().epoch_s));
    print_urls(devnet);
    DRACO_TRY_VOID(print_accounts());
    std::printf("\n");
    std::fflush(stdout);
    return {};
}

Result<> start_all(Devnet& devnet, const DevnetOptions& options, Signals& signals) {
    DRACO_TRY_VOID(devnet.check_ports());
    const auto lifetime = options.detach ? child_process::Lifetime::OfItsOwn
                                         : child_process::Lifetime::EndedWithParent;
    const std::size_t count = devnet.record().nodes.size();
    std::fprintf(stderr,
                 "starting %zu node%s in %s%s\n",
                 count,
                 count == 1 ? "" : "s",
                 devnet.home().c_str(),
                 options.detach ? "" : "; Ctrl-C stops, the next devnet up goes on from there");
    for (std::size_t i = 0; i < devnet.record().nodes.size(); ++i)
        DRACO_TRY_VOID(devnet.start_node(i, lifetime));
    return devnet.wait_until_ready(std::chrono::seconds(options.patience_s),
                                   [&] { return signals.ended(); });
}

// Tells of nodes that end by themselves, once each.
void watch_nodes(const Devnet& devnet, std::set<pid_t>& reported) {
    for (const DevnetNodeRecord& node : devnet.record().nodes) {
        if (node.process.pid == 0 || is_running(node.process)) continue;
        if (!reported.insert(node.process.pid).second) continue;
        std::fprintf(stderr,
                     "node %zu (process %d) has ended; see %s/logs, and start it again with draco "
                     "devnet start-node %zu --home %s\n",
                     node.index,
                     static_cast<int>(node.process.pid),
                     node_home(devnet.home(), node.index).c_str(),
                     node.index,
                     devnet.home().c_str());
    }
}

json::array running_nodes(const Devnet& devnet) {
    json::array running;
    for (const DevnetNodeRecord& node : devnet.record().nodes)
        if (is_running(node.process)) running.emplace_back(node.index);
    return running;
}

bool is_node_running(const Devnet& devnet, std::size_t index) {
    const auto& nodes = devnet.record().nodes;
    return index < nodes.size() && is_running(nodes[index].process);
}

void say_ended(const Invocation& invocation, std::size_t index, bool was_running, const char* how) {
    if (invocation.json)
        print_value(invocation, json::object{{"index", index}, {how, was_running}});
    else if (was_running)
        std::printf("%s node %zu\n", how, index);
    else
        std::printf("node %zu was not running\n", index);
}

bool all_stopped(const Devnet& devnet) {
    return std::ranges::all_of(devnet.record().nodes,
                               [](const DevnetNodeRecord& node) { return node.process.pid == 0; });
}

void print_demo(const Devnet& devnet, const DevnetDemo& demo) {
    std::printf("%s is published; open it in a browser:\n", demo.folder().c_str());
    for (const DevnetNodeRecord& node : devnet.record().nodes)
        std::printf("  %s\n", content_url(node.http_url(), demo.hash(), true).c_str());
    std::printf("development account %u reads it from one node after the other, and pays\n\n",
                DevnetDemo::kAccount);
    std::fflush(stdout);
}

// Until a signal comes, or another command has stopped all nodes.
void watch(const Invocation& invocation, Devnet& devnet, Signals& signals) {
    EpochLines lines;
    std::set<pid_t> reported;
    while (!signals.wait(kLookEveryS)) {
        static_cast<void>(devnet.refresh());
        if (all_stopped(devnet)) return;
        watch_nodes(devnet, reported);
        if (!invocation.json) lines.look(devnet.record());
    }
    static_cast<void>(devnet.refresh());
}

}  // namespace

Result<std::string> devnet_home(const Invocation& invocation) {
    DRACO_TRY(home, home_path(invocation));
    return invocation.home.empty() ? home + "/devnet" : home;
}

Result<> run_devnet_up(const Invocation& invocation, const DevnetOptions& options) {
    Signals signals;
    DRACO_TRY(home, devnet_home(invocation));
    if (!options.demo_folder.empty() && !path_exists(options.demo_folder))
        return fail(Errc::NotFound, "there is no folder " + options.demo_folder + " to publish");
    DRACO_TRY_VOID(create_folder(home));
    DRACO_TRY(disk, io::PosixDisk::open_root(home));
    const auto lock = disk->lock(kLockFile);
    if (!lock)
        return fail(lock.error().code,
                    "another draco devnet up works in " + home + " (" + lock.error().context + ")");
    DRACO_TRY(devnet, Devnet::open_or_create(home, options.shape));
    if (devnet.any_running())
        return fail(Errc::AlreadyExists,
                    "nodes of the devnet in " + home +
                        " are running already; draco devnet status shows them, draco devnet down "
                        "stops them");
    auto started = start_all(devnet, options, signals);
    if (started) started = print_banner(invocation, devnet);
    if (!started) {
        static_cast<void>(devnet.stop({}));
        return started;
    }
    if (options.detach) return {};
    std::unique_ptr<DevnetDemo> demo;
    if (!options.demo_folder.empty()) {
        auto begun = DevnetDemo::start(devnet.home(), devnet.record(), options.demo_folder);
        if (!begun) {
            static_cast<void>(devnet.stop({}));
            return std::unexpected(begun.error());
        }
        demo = *std::move(begun);
        if (!invocation.json) print_demo(devnet, *demo);
    }
    watch(invocation, devnet, signals);
    demo.reset();
    std::fprintf(stderr, "stopping the nodes\n");
    return devnet.stop({});
}

Result<> run_devnet_down(const Invocation& invocation) {
    DRACO_TRY(devnet, open_devnet(invocation));
    const auto running = running_nodes(devnet);
    DRACO_TRY_VOID(devnet.stop({}));
    if (invocation.json) {
        print_value(invocation,
                    json::object{{"home", devnet.home()}, {"stopped", json::array(running)}});
        return {};
    }
    std::string text;
    for (const json::value& index : running) text += " " + json::serialize(index);
    if (running.empty())
        std::printf("no node of the devnet in %s was running\n", devnet.home().c_str());
    else
        std::printf("stopped node%s%s of the devnet in %s\n",
                    running.size() == 1 ? "" : "s",
                    text.c_str(),
                    devnet.home().c_str());
    return {};
}

Result<> run_devnet_status(const Invocation& invocation) {
    DRACO_TRY(devnet, open_devnet(invocation));
    json::array nodes;
    for (const DevnetNodeRecord& node : devnet.record().nodes) nodes.emplace_back(node_json(node));
    json::value supply = supply_json(devnet.record());
    if (invocation.json)
        print_value(invocation,
                    json::object{{"nodes", std::move(nodes)}, {"supply", std::move(supply)}});
    else
        print_status(nodes, supply);
    return {};
}

Result<> run_devnet_start_node(const Invocation& invocation, const DevnetOptions& options) {
    DRACO_TRY(devnet, open_devnet(invocation));
    DRACO_TRY_VOID(devnet.check_ports(options.index));
    DRACO_TRY_VOID(devnet.start_node(options.index, child_process::Lifetime::OfItsOwn));
    DRACO_TRY_VOID(devnet.wait_until_ready(
        std::chrono::seconds(options.patience_s), [] { return false; }, options.index));
    const DevnetNodeRecord& node = devnet.record().nodes[options.index];
    if (invocation.json)
        print_value(invocation,
                    json::object{{"index", node.index},
                                 {"pid", node.process.pid},
                                 {"key", node.key},
                                 {"rpc", node.rpc_url()}});
    else
        std::printf("node %zu runs as process %d at %s\n",
                    node.index,
                    static_cast<int>(node.process.pid),
                    node.rpc_url().c_str());
    return {};
}

Result<> run_devnet_stop_node(const Invocation& invocation, const DevnetOptions& options) {
    DRACO_TRY(devnet, open_devnet(invocation));
    const auto was_running = is_node_running(devnet, options.index);
    DRACO_TRY_VOID(devnet.stop(options.index));
    say_ended(invocation, options.index, was_running, "stopped");
    return {};
}

Result<> run_devnet_kill_node(const Invocation& invocation, const DevnetOptions& options) {
    DRACO_TRY(devnet, open_devnet(invocation));
    DRACO_TRY_VOID(devnet.kill_node(options.index));
    say_ended(invocation, options.index, true, "killed");
    return {};
}

Result<> run_devnet_add_node(const Invocation& invocation) {
    DRACO_TRY(devnet, open_devnet(invocation));
    DRACO_TRY(index, devnet.add_node());
    const DevnetNodeRecord& node = devnet.record().nodes[index];
    print_value(invocation,
                json::object{{"index", index},
                             {"home", node_home(devnet.home(), index)},
                             {"key", node.key},
                             {"rpc", node.rpc_url()}});
    return {};
}

}  // namespace draco
