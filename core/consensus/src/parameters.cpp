#include "draco/consensus/parameters.hpp"

#include "draco/base/transport.hpp"
#include "draco/types/block.hpp"

namespace draco::consensus {

CommitRule CommitRule::bullshark(const types::Committee& committee) {
    return {.indirect = 1, .certified = committee.validity(), .proposed = {}, .skip = {}};
}

CommitRule CommitRule::fast(const types::Committee& committee) {
    CommitRule rule = bullshark(committee);
    rule.proposed = rule.indirect + 2 * committee.faulty_max();
    rule.skip = committee.size() - rule.indirect + 1;
    return rule;
}

bool CommitRule::is_safe(const types::Committee& committee) const {
    const std::size_t n = committee.size();
    const std::size_t f = committee.faulty_max();
    return indirect >= 1 && certified >= indirect + f && certified <= committee.quorum() &&
           (!proposed || *proposed >= indirect + 2 * f) && (!skip || *skip >= n - indirect + 1) &&
           2 * committee.quorum() > n + f;
}

Result<> check(const Parameters& p) {
    const auto refuse = [](const char* why) { return fail(Errc::InvalidArgument, why); };
    if (p.gc_depth_rounds < 4) return refuse("gc_depth_rounds must be at least 4");
    if (p.window_rounds < 2 * p.gc_depth_rounds)
        return refuse("window_rounds must be at least twice gc_depth_rounds");
    if (p.window_rounds > types::kBlockRoundsMax)
        return refuse("window_rounds must be at most 1024, the rounds that a block can order");
    if (p.reputation_rounds < 8 || p.reputation_rounds > p.window_rounds / 2)
        return refuse("reputation_rounds must be at least 8 and at most half of window_rounds");
    if (p.parents_patience.count() < 0) return refuse("parents_patience must not be negative");
    if (p.leader_timeout.count() <= 0 || p.leader_timeout_max < p.leader_timeout)
        return refuse("leader_timeout must be positive and at most leader_timeout_max");
    if (p.retry.count() <= 0 || p.retry_max < p.retry)
        return refuse("retry must be positive and at most retry_max");
    if (p.request_deadline.count() <= 0) return refuse("request_deadline must be positive");
    if (p.batch_patience.count() < 0 || p.batch_delay_max.count() < 0 || p.batch_grace.count() < 0)
        return refuse("batch_patience, batch_delay_max and batch_grace must not be negative");
    // Room for a batch's own fields and the length in front of each transaction.
    if (p.batch_bytes == 0 ||
        p.batch_bytes + types::kTransactionBytesMax > types::kBatchBytesMax / 2)
        return refuse("batch_bytes must be positive and at most 448 KiB");
    if (p.header_payload_bytes < types::kBatchBytesMax ||
        p.header_payload_bytes > types::kHeaderPayloadBytesMax)
        return refuse("header_payload_bytes must be from 1 MiB to 4 MiB");
    if (p.unpaced_bytes_per_s == 0 || p.pace_max.count() < 0 || p.pace_max > p.leader_timeout)
        return refuse("unpaced_bytes_per_s must be positive, pace_max from 0 to leader_timeout");
    if (p.block_signature_interval < std::chrono::milliseconds(1))
        return refuse("block_signature_interval must be at least 1 ms");
    if (p.own_bytes_max < types::kBatchBytesMax || p.peer_bytes_max < 2 * p.own_bytes_max)
        return refuse("own_bytes_max must be at least 1 MiB, peer_bytes_max at least twice that");
    if (p.held_bytes_max < p.peer_bytes_max)
        return refuse("held_bytes_max must be at least peer_bytes_max");
    if (p.served_bytes_per_s < 2 * kMessageBytesMax)
        return refuse("served_bytes_per_s must be at least 8 MiB");
    if (p.blocks_ahead_max == 0) return refuse("blocks_ahead_max must be at least 1");
    return {};
}

}  // namespace draco::consensus
