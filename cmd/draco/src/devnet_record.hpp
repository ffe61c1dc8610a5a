#pragma once
// devnet.json in a devnet's home: which nodes there are, where they listen, who runs them.

#include "draco/base/result.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace draco {

inline constexpr std::string_view kDevnetRecordFile = "devnet.json";
inline constexpr std::size_t kDevnetNodesMax = 100;

// A process that is still the one that was started: ids are given out again.
struct ProcessMark {
    pid_t pid = 0;  // 0: none
    std::uint64_t started_ticks = 0;

    bool operator==(const ProcessMark&) const = default;
};

struct DevnetNodeRecord {
    std::size_t index = 0;
    std::string key;  // base58
    std::uint16_t link_port = 0;
    std::uint16_t http_port = 0;
    std::uint16_t session_port = 0;
    std::uint16_t rpc_port = 0;
    ProcessMark process{};

    std::string http_url() const { return "http://127.0.0.1:" + std::to_string(http_port); }

    std::string rpc_url() const {
        return "http://127.0.0.1:" + std::to_string(rpc_port) + "/rpc/v0";
    }
};

struct DevnetRecord {
    std::uint64_t epoch_s = 0;
    std::vector<DevnetNodeRecord> nodes;
};

// NotFound: there is no devnet in `home`.
Result<DevnetRecord> load_devnet_record(const std::string& home);
// Replaces it atomically.
Result<> save_devnet_record(const std::string& home, const DevnetRecord& record);

std::string node_home(const std::string& devnet_home, std::size_t index);

}  // namespace draco
