#include "devnet.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/io/system_clock.hpp"
#include "draco/node/devnet_genesis.hpp"
#include "draco/node/genesis_file.hpp"

#include "devnet_ready.hpp"
#include "node_home.hpp"
#include "node_setup.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"
#include "shown_text.hpp"
#include "text_file.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <utility>

namespace draco {
namespace {

constexpr std::size_t kNodesDefault = 4;
constexpr std::uint64_t kEpochDefaultS = node::kDevnetEpochMs / 1000;
constexpr auto kStopPatience = std::chrono::seconds(15);
constexpr auto kLookEvery = std::chrono::milliseconds(100);
constexpr Duration kTellEvery = std::chrono::seconds(5);  // where there is no terminal
constexpr std::size_t kLastWords = 8;

Result<std::vector<NodePorts>> ports_of(std::uint16_t base, std::size_t nodes) {
    if (base == 0) return free_ports(nodes);
    std::vector<NodePorts> ports;
    ports.reserve(nodes);
    for (std::size_t i = 0; i < nodes; ++i) ports.push_back(ports_from(base, i));
    return ports;
}

DevnetNodeRecord record_of(std::size_t index,
                           const types::NodeKey& key,
                           const node::NodeConfig& config) {
    return {.index = index,
            .key = to_base58(key.view()),
            .link_port = config.links.port,
            .http_port = config.http.port,
            .session_port = config.session.port,
            .rpc_port = config.rpc.port,
            .process = {}};
}

struct MadeNode {
    DevnetNodeRecord record;
    node::DevnetNode genesis;
};

Result<MadeNode> make_node(const std::string& home, std::size_t index, const NodePorts& ports) {
    const std::string path = node_home(home, index);
    DRACO_TRY(config, config_with_ports(ports, "127.0.0.1"));
    DRACO_TRY(key, create_node_home(path, config, {}, true));
    DRACO_TRY(opened, NodeHome::open(path));
    DRACO_TRY_VOID(opened.disk().create_directory(config.log.directory));
    DRACO_TRY_VOID(node::save_config(opened.disk(), config));
    DRACO_TRY(endpoints, endpoints_of(config));
    return MadeNode{.record = record_of(index, key, config),
                    .genesis = {.key = key, .endpoints = std::move(endpoints)}};
}

// devnet.json is last: it makes the folder a devnet. What an interrupted creation has left is used
// or replaced by the next.
Result<DevnetRecord> create(const std::string& home, const DevnetShape& shape) {
    const std::size_t count = shape.nodes.value_or(kNodesDefault);
    DevnetRecord record{.epoch_s = shape.epoch_s.value_or(kEpochDefaultS), .nodes = {}};
    DRACO_TRY(ports, ports_of(shape.port_base.value_or(kPortBase), count));
    node::DevnetOptions options{
        .time = io::SystemClock().unix_now(), .epoch_ms = record.epoch_s * 1000, .nodes = {}};
    for (std::size_t i = 0; i < count; ++i) {
        DRACO_TRY(made, make_node(home, i, ports[i]));
        record.nodes.push_back(std::move(made.record));
        options.nodes.push_back(std::move(made.genesis));
    }
    DRACO_TRY(genesis, node::devnet_genesis(options));
    const std::string text = node::render_genesis(genesis);
    for (std::size_t i = 0; i < count; ++i)
        DRACO_TRY_VOID(
            replace_text_file(node_home(home, i) + "/" + std::string(node::kGenesisFile), text));
    DRACO_TRY_VOID(replace_text_file(home + "/" + std::string(node::kGenesisFile), text));
    DRACO_TRY_VOID(save_devnet_record(home, record));
    return record;
}

// Bytes of a file; 0 if there is none.
std::uint64_t size_of(const std::string& path) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(path, missing);
    return missing ? 0 : size;
}

std::string output_of(const std::string& home, std::size_t index) {
    return node_home(home, index) + "/logs/output.log";
}

// Says what is waited for: at once on a terminal, and elsewhere now and then.
class WaitingLine {
public:
    explicit WaitingLine(const Clock& clock) : clock_(clock), next_(clock.now() + kTellEvery) {}

    void show(const std::string& text) {
        line_.show(text);
        if (line_.is_seen() || clock_.now() < next_) return;
        next_ = clock_.now() + kTellEvery;
        std::fprintf(stderr, "%s\n", shown(text).c_str());
    }

private:
    const Clock& clock_;
    Instant next_;
    StatusLine line_;
};

Result<> check_shape(const std::string& home,
                     const DevnetRecord& record,
                     const DevnetShape& shape) {
    const std::string remedy =
        "; leave the option out to go on with it, or remove the folder to start anew";
    if (shape.nodes && *shape.nodes != record.nodes.size())
        return fail(Errc::InvalidArgument,
                    "the devnet in " + home + " has " + std::to_string(record.nodes.size()) +
                        " nodes" + remedy);
    if (shape.epoch_s && *shape.epoch_s != record.epoch_s)
        return fail(Errc::InvalidArgument,
                    "the devnet in " + home + " has epochs of " + std::to_string(record.epoch_s) +
                        " s" + remedy);
    if (shape.port_base.value_or(0) != 0 && !record.nodes.empty() &&
        ports_from(*shape.port_base, 0).link != record.nodes.front().link_port)
        return fail(Errc::InvalidArgument, "the devnet in " + home + " has other ports" + remedy);
    return {};
}

}  // namespace

Result<Devnet> Devnet::open(const std::string& home) {
    DRACO_TRY(record, load_devnet_record(home));
    return Devnet(home, std::move(record));
}

Result<Devnet> Devnet::open_or_create(const std::string& home, const DevnetShape& shape) {
    // Children find their homes from any working directory.
    const std::string absolute = std::filesystem::absolute(home).lexically_normal().string();
    auto existing = open(absolute);
    if (existing) {
        DRACO_TRY_VOID(check_shape(absolute, existing->record(), shape));
        return existing;
    }
    if (existing.error().code != Errc::NotFound) return existing;
    DRACO_TRY_VOID(create_folder(absolute));
    DRACO_TRY(record, create(absolute, shape));
    return Devnet(absolute, std::move(record));
}

Result<> Devnet::refresh() {
    DRACO_TRY(record, load_devnet_record(home_));
    record_ = std::move(record);
    return {};
}

Result<> Devnet::check_index(std::size_t index) const {
    if (index < record_.nodes.size()) return {};
    return fail(Errc::InvalidArgument,
                "there is no node " + std::to_string(index) + "; the devnet in " + home_ +
                    " has 0 to " + std::to_string(record_.nodes.size() - 1));
}

Result<> Devnet::check_ports(std::optional<std::size_t> index) const {
    if (index) DRACO_TRY_VOID(check_index(*index));
    for (const DevnetNodeRecord& node : record_.nodes) {
        if ((index && *index != node.index) || is_running(node.process)) continue;
        const std::string whose = " of node " + std::to_string(node.index);
        using Port = std::pair<std::uint16_t, std::string>;
        for (const auto& [port, name] : {Port(node.link_port, "links" + whose),
                                         Port(node.http_port, "http" + whose),
                                         Port(node.session_port, "session" + whose),
                                         Port(node.rpc_port, "rpc" + whose)}) {
            const auto free = check_port_free(port, name);
            if (!free)
                return fail(free.error().code,
                            free.error().context +
                                "; stop that, or make a devnet elsewhere: --home DIR --port-base N "
                                "(0: the system chooses)");
        }
    }
    return {};
}

Result<> Devnet::start_node(std::size_t index, child_process::Lifetime lifetime) {
    DRACO_TRY_VOID(check_index(index));
    DevnetNodeRecord& node = record_.nodes[index];
    if (is_running(node.process))
        return fail(Errc::AlreadyExists,
                    "node " + std::to_string(index) + " is running as process " +
                        std::to_string(node.process.pid));
    const std::string path = node_home(home_, index);
    DRACO_TRY_VOID(create_folder(path + "/logs"));
    const std::string output = output_of(home_, index);
    output_begins_[index] = size_of(output);
    DRACO_TRY(process, start_logged({"node", "run", "--quiet", "--home", path}, output, lifetime));
    node.process = process;
    return save_devnet_record(home_, record_);
}

Result<> Devnet::stop(std::optional<std::size_t> index) {
    if (index) DRACO_TRY_VOID(check_index(*index));
    std::vector<ProcessMark> processes;
    for (const DevnetNodeRecord& node : record_.nodes) {
        if (index && *index != node.index) continue;
        processes.push_back(node.process);
    }
    end_processes(processes, kStopPatience);
    for (DevnetNodeRecord& node : record_.nodes)
        if (!is_running(node.process)) node.process = {};
    return save_devnet_record(home_, record_);
}

Result<> Devnet::kill_node(std::size_t index) {
    DRACO_TRY_VOID(check_index(index));
    DevnetNodeRecord& node = record_.nodes[index];
    if (!is_running(node.process))
        return fail(Errc::NotFound, "node " + std::to_string(index) + " is not running");
    ::kill(node.process.pid, SIGKILL);
    while (is_running(node.process)) std::this_thread::sleep_for(kLookEvery);
    node.process = {};
    return save_devnet_record(home_, record_);
}

Result<std::size_t> Devnet::add_node() {
    const std::size_t index = record_.nodes.size();
    if (index >= kDevnetNodesMax)
        return fail(Errc::Exhausted,
                    "a devnet has at most " + std::to_string(kDevnetNodesMax) + " nodes");
    const DevnetNodeRecord& first = record_.nodes.front();
    const bool regular = first.link_port > 100 && first.rpc_port + 60 == first.link_port;
    DRACO_TRY(ports,
              ports_of(regular ? static_cast<std::uint16_t>(first.link_port - 100) : 0, index + 1));
    DRACO_TRY(made, make_node(home_, index, ports[index]));
    const std::string genesis(node::kGenesisFile);
    DRACO_TRY(text, read_text_file(home_ + "/" + genesis, node::kGenesisBytesMax));
    DRACO_TRY_VOID(replace_text_file(node_home(home_, index) + "/" + genesis, text));
    record_.nodes.push_back(std::move(made.record));
    DRACO_TRY_VOID(save_devnet_record(home_, record_));
    return index;
}

bool Devnet::any_running() const {
    for (const DevnetNodeRecord& node : record_.nodes)
        if (is_running(node.process)) return true;
    return false;
}

// The reason it gave is the last line that it wrote to its output; its log has it too, among much
// else.
Result<> Devnet::check_not_ended(std::optional<std::size_t> index) const {
    for (const DevnetNodeRecord& node : record_.nodes) {
        if (node.process.pid == 0 || (index && *index != node.index)) continue;
        if (is_running(node.process)) continue;
        std::string said = "node " + std::to_string(node.index) + " ended while it started";
        const std::string output = output_of(home_, node.index);
        const auto begin = output_begins_.find(node.index);
        const bool has_spoken = begin != output_begins_.end() && size_of(output) > begin->second;
        const std::string reason = has_spoken ? last_lines(output, 1) : "";
        if (reason.empty())
            said += last_words(node.index);
        else
            said.append(": ")
                .append(reason)
                .append("; its log is in ")
                .append(node_home(home_, node.index) + "/logs");
        return fail(Errc::Unavailable, std::move(said));
    }
    return {};
}

std::string Devnet::last_words(std::size_t index) const {
    const std::string logs = node_home(home_, index) + "/logs/";
    std::string words;
    for (const char* name : {"draco.log", "output.log"}) {
        const std::string tail = last_lines(logs + name, kLastWords);
        if (!tail.empty())
            words.append("\n").append(logs).append(name).append(" ends with:\n").append(tail);
    }
    return words.empty() ? "; it left no log in " + logs : words;
}

Result<> Devnet::wait_until_ready(Duration patience,
                                  const std::function<bool()>& interrupted,
                                  std::optional<std::size_t> index) const {
    const Instant deadline = io::SystemClock().now() + patience;
    for (const DevnetNodeRecord& node : record_.nodes) {
        if (node.process.pid == 0 || (index && *index != node.index)) continue;
        DRACO_TRY_VOID(wait_until_ready(node, deadline, interrupted, index));
    }
    return {};
}

Result<> Devnet::wait_until_ready(const DevnetNodeRecord& node,
                                  Instant deadline,
                                  const std::function<bool()>& interrupted,
                                  std::optional<std::size_t> index) const {
    const io::SystemClock clock;
    const RpcClient client(HttpUrl{.host = "127.0.0.1", .port = node.rpc_port});
    const std::string name = "node " + std::to_string(node.index);
    WaitingLine line(clock);
    while (true) {
        if (interrupted()) return fail(Errc::Abandoned, "interrupted");
        const auto ready = check_ready(client, record_);
        if (ready) return {};
        DRACO_TRY_VOID(check_not_ended(index));
        if (clock.now() > deadline)
            return fail(
                Errc::DeadlineExceeded,
                name + " is not ready (" + ready.error().context + ")" + last_words(node.index));
        line.show("waiting for " + name + ": " + ready.error().context);
        std::this_thread::sleep_for(kLookEvery);
    }
}

}  // namespace draco
