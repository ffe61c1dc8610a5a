#include "queued_blocks.hpp"

#include <algorithm>

namespace draco::handshake {

void QueuedBlocks::accepted(std::size_t bytes, std::uint64_t block_bytes) {
    accepted_ += bytes;
    if (block_bytes > 0) blocks_.push_back({.end = accepted_, .bytes = block_bytes});
}

void QueuedBlocks::passed_on(std::size_t queued_bytes) {
    const std::uint64_t end = passed_on_end(queued_bytes);
    while (!blocks_.empty() && blocks_.front().end <= end) blocks_.pop_front();
}

std::uint64_t QueuedBlocks::content_bytes(std::size_t queued_bytes) const {
    const std::uint64_t end = passed_on_end(queued_bytes);
    std::uint64_t bytes = 0;
    for (auto at = blocks_.rbegin(); at != blocks_.rend() && at->end > end; ++at)
        bytes += std::min(at->bytes, at->end - end);
    return bytes;
}

// What was written to the stream before anybody told is passed on first, so it may be ignored.
std::uint64_t QueuedBlocks::passed_on_end(std::size_t queued_bytes) const {
    return accepted_ - std::min<std::uint64_t>(queued_bytes, accepted_);
}

}  // namespace draco::handshake
