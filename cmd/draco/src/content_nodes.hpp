#pragma once
// The nodes that deliver content, as the chain knows them.

#include "draco/base/result.hpp"

#include "rpc_client.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco {

struct ContentNode {
    std::string key;  // base58
    std::string host;
    std::uint16_t session_port = 0;
    std::uint16_t http_port = 0;  // 0: it shows content to no browser
};

// Those that take part, the one that answers first. NotFound: none does.
Result<std::vector<ContentNode>> content_nodes(const RpcClient& client);

}  // namespace draco
