#include "shared_keys.hpp"

#include "draco/log/log.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/types/transaction.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace draco::node {
namespace {

constexpr std::size_t kPathBytesMax = 255;

// Colons are those of IPv6, never of a port.
bool has_port(std::string_view text) {
    in6_addr parsed{};
    return text.contains(':') && ::inet_pton(AF_INET6, std::string(text).c_str(), &parsed) != 1;
}

std::string_view level_objection(std::string_view text) {
    return log::parse_level(text) ? std::string_view() : "trace, debug, info, warn or error";
}

}  // namespace

std::string_view path_objection(std::string_view text) {
    constexpr std::string_view kExpected =
        "a path relative to the home, inside it, such as \"data\"";
    if (text.empty() || text.size() > kPathBytesMax || text.contains('\0')) return kExpected;
    while (true) {
        const auto slash = text.find('/');
        const std::string_view part = text.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return kExpected;
        if (slash == std::string_view::npos) return {};
        text.remove_prefix(slash + 1);
    }
}

// A name or an address; who dials it finds out whether it exists.
std::string_view host_objection(std::string_view text) {
    constexpr std::string_view kExpected = "a host name or an IP address, without a port";
    const auto allowed = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("-._:").contains(c);
    };
    if (text.empty() || text.size() > types::kHostBytesMax || has_port(text)) return kExpected;
    return std::ranges::all_of(text, allowed) ? std::string_view() : kExpected;
}

std::string_view peer_objection(std::string_view text) {
    return parse_peer_address(text)
               ? std::string_view()
               : "\"KEY@HOST:PORT\", as draco worker init prints it: a node key, and where it is";
}

void add_key_files(ConfigKeys& keys, NodeConfig::Keys& section) {
    keys.push_back({.section = "keys",
                    .name = "directory",
                    .comment = "The encrypted keys.",
                    .member = &section.directory,
                    .objection = path_objection});
    keys.push_back({.section = "keys",
                    .name = "password_file",
                    .comment = "Its first line opens them. Mode 0600.",
                    .member = &section.password_file,
                    .objection = path_objection});
}

void add_log(ConfigKeys& keys, NodeConfig::Log& log) {
    keys.push_back({.section = "log",
                    .name = "directory",
                    .comment = "Of draco.log and the files before it.",
                    .member = &log.directory,
                    .objection = path_objection});
    keys.push_back({.section = "log",
                    .name = "level",
                    .comment = "trace, debug, info, warn or error.",
                    .member = &log.level,
                    .objection = level_objection});
    keys.push_back({.section = "log",
                    .name = "json",
                    .comment = "One JSON object per line instead of text.",
                    .member = &log.json});
    keys.push_back({.section = "log",
                    .name = "file_bytes_max",
                    .comment = "A file that would grow beyond is followed by the next.",
                    .member = &log.file_bytes_max,
                    .min = 64 * kKiB,
                    .max = kGiB});
    keys.push_back({.section = "log",
                    .name = "files_max",
                    .comment = "Files that are kept, with the one being written.",
                    .member = &log.files_max,
                    .min = 1,
                    .max = 1000});
}

void add_listener(ConfigKeys& keys,
                  std::string_view section,
                  std::string_view port_comment,
                  std::string& address,
                  std::uint16_t& port) {
    keys.push_back({.section = section,
                    .name = "address",
                    .comment = "The address to listen on; 0.0.0.0 is all of this machine's.",
                    .member = &address,
                    .objection = host_objection});
    keys.push_back({.section = section,
                    .name = "port",
                    .comment = port_comment,
                    .member = &port,
                    .min = 1,
                    .max = 65'535});
}

void add_milliseconds(ConfigKeys& keys,
                      std::string_view name,
                      std::string_view comment,
                      std::uint32_t& value,
                      std::uint64_t max) {
    keys.push_back({.section = "consensus",
                    .name = name,
                    .comment = comment,
                    .member = &value,
                    .min = 1,
                    .max = max});
}

void add_batching(ConfigKeys& keys, NodeConfig::Consensus& consensus) {
    add_milliseconds(keys,
                     "batch_delay_ms",
                     "Transactions wait this long for others to share a batch with.",
                     consensus.batch_delay_ms,
                     10'000);
    keys.push_back({.section = "consensus",
                    .name = "batch_bytes",
                    .comment = "A batch of this size does not wait.",
                    .member = &consensus.batch_bytes,
                    .min = 4 * kKiB,
                    .max = kMiB});
}

void add_exchange(ConfigKeys& keys, NodeConfig::Consensus& consensus) {
    add_milliseconds(keys,
                     "retry_ms",
                     "Without progress, what may be lost is sent again; doubles each time.",
                     consensus.retry_ms,
                     60'000);
    add_milliseconds(keys, "retry_max_ms", "Up to this.", consensus.retry_max_ms, 60'000);
    add_milliseconds(keys,
                     "request_deadline_ms",
                     "A peer that has not answered by then is passed over.",
                     consensus.request_deadline_ms,
                     60'000);
    keys.push_back({.section = "consensus",
                    .name = "own_bytes_max",
                    .comment = "Own transactions that are not executed yet; beyond: busy.",
                    .member = &consensus.own_bytes_max,
                    .min = kMiB,
                    .max = 4 * kGiB});
    keys.push_back({.section = "consensus",
                    .name = "held_bytes_max",
                    .comment = "Batches of all members in memory and not executed yet.",
                    .member = &consensus.held_bytes_max,
                    .min = 16 * kMiB,
                    .max = 64 * kGiB});
    keys.push_back({.section = "consensus",
                    .name = "served_bytes_per_s",
                    .comment = "To one peer that asks for what it missed.",
                    .member = &consensus.served_bytes_per_s,
                    .min = kMiB,
                    .max = 64 * kGiB});
}

void find_retry_contradiction(std::vector<Contradiction>& found,
                              const NodeConfig::Consensus& consensus) {
    if (consensus.retry_ms > consensus.retry_max_ms)
        found.push_back({.keys = {{{"consensus", "retry_ms"}, {"consensus", "retry_max_ms"}}},
                         .what = "[consensus] retry_ms is more than retry_max_ms"});
}

Result<> check_host(std::string_view text) {
    const std::string_view objection = host_objection(text);
    if (objection.empty()) return {};
    return fail(Errc::InvalidArgument,
                "\"" + std::string(text) + "\" is not " + std::string(objection));
}

}  // namespace draco::node
