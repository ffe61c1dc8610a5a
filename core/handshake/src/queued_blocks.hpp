#pragma once
// Which bytes of content a stream has accepted and not passed on.

#include <cstddef>
#include <cstdint>
#include <deque>

namespace draco::handshake {

// Told of everything that a stream accepts, in order; a stream passes bytes on in that order, so
// how many it has queued says which. A block is at the end of what it was accepted with.
// Deterministic. Memory: one entry for each block that is queued. Costs O(1), amortized.
class QueuedBlocks {
public:
    // The stream has accepted `bytes`, of which the last `block_bytes` are content.
    void accepted(std::size_t bytes, std::uint64_t block_bytes);
    // Forgets what was passed on, when `queued_bytes` are not.
    void passed_on(std::size_t queued_bytes);
    // How many bytes of content are among the last `queued_bytes` that were accepted.
    std::uint64_t content_bytes(std::size_t queued_bytes) const;

private:
    struct Block {
        std::uint64_t end = 0;  // of all that was accepted
        std::uint64_t bytes = 0;
    };

    std::uint64_t passed_on_end(std::size_t queued_bytes) const;

    std::uint64_t accepted_ = 0;
    std::deque<Block> blocks_;
};

}  // namespace draco::handshake
