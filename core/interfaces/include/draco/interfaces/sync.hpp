#pragma once
// Following certified blocks: outside the committee always, inside it when the own core is too far
// behind.

#include "draco/types/block.hpp"

#include <cstdint>

namespace draco::interfaces {

struct SyncStatus {
    types::Height known{};  // the highest one with a certificate that this node has verified
    types::Height fetched{};
    bool fetching = false;
    std::uint64_t blocks_fetched = 0;
    std::uint64_t liars = 0;  // answers that did not match their certificate
};

class BlockFollower {
public:
    virtual ~BlockFollower() = default;
    // Consensus cannot catch up by itself: fetch now what is certified and not executed. Without
    // this call a member waits a moment for its own core. Thread-safe; may be repeated.
    virtual void follow() = 0;
    virtual SyncStatus status() const = 0;
};

}  // namespace draco::interfaces
