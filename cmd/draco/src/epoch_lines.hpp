#pragma once
// A line for each epoch of a devnet, for who watches it.

#include "devnet_record.hpp"
#include "rpc_client.hpp"

#include <cstdint>
#include <optional>

namespace draco {

class EpochLines {
public:
    // Asks the first node that answers, and prints a line if it is in an epoch not seen before. The
    // line tells of the epoch that has begun, and how many transactions the one before had; if that
    // one has delivered anything, a second line tells how much was settled, for how much, and how
    // that was divided.
    void look(const DevnetRecord& record);

private:
    void count_transactions(const RpcClient& client, std::uint64_t height);

    static constexpr std::uint64_t kBlocksPerLook = 64;

    std::optional<std::uint64_t> epoch_;
    std::optional<std::uint64_t> counted_height_;
    std::uint64_t transactions_ = 0;
    bool counted_all_ = true;
    std::optional<std::uint64_t> began_ms_;
};

}  // namespace draco
