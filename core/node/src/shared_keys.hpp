#pragma once
// Keys that the configurations of nodes and of workers have in common, and what texts may be.

#include "draco/node/config.hpp"

#include "config_table.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace draco::node {

inline constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

// What a text should be; empty if it is.
std::string_view path_objection(std::string_view text);
std::string_view host_objection(std::string_view text);
std::string_view peer_objection(std::string_view text);

// Each appends, in the order of the file.
void add_key_files(ConfigKeys& keys, NodeConfig::Keys& section);
void add_log(ConfigKeys& keys, NodeConfig::Log& log);
void add_listener(ConfigKeys& keys,
                  std::string_view section,
                  std::string_view port_comment,
                  std::string& address,
                  std::uint16_t& port);
// Of [consensus]: how batches are made, and how what is missing is asked for.
void add_batching(ConfigKeys& keys, NodeConfig::Consensus& consensus);
void add_exchange(ConfigKeys& keys, NodeConfig::Consensus& consensus);
void add_milliseconds(ConfigKeys& keys,
                      std::string_view name,
                      std::string_view comment,
                      std::uint32_t& value,
                      std::uint64_t max);

void find_retry_contradiction(std::vector<Contradiction>& found,
                              const NodeConfig::Consensus& consensus);

}  // namespace draco::node
