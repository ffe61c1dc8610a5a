#pragma once
// What an operator may tune, and what the safety of the protocol hangs on.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/types/committee.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace draco::consensus {

// How many votes decide what about an anchor. A vote is a vertex of the next round that has the
// anchor among its parents; it is certified (a certificate exists) or merely proposed (its author
// could still sign another for the same round). A later committed anchor settles an earlier one
// indirectly by the certified votes in its history.
//
// Every vertex two rounds above the anchor has n - f certified parents, so of v certified votes it
// sees at least v - f. Hence no two members can disagree if
//     certified   >= indirect + f       a direct commit is confirmed by every later anchor,
//     proposed    >= indirect + 2f      the same, and f of the voters may have lied,
//     skip        >= n - indirect + 1   a skipped anchor can never gather `indirect` votes.
struct CommitRule {
    std::size_t indirect = 0;
    std::size_t certified = 0;
    std::optional<std::size_t> proposed;  // absent: no fast path
    std::optional<std::size_t> skip;      // absent: only a later anchor skips

    // Bullshark, partially synchronous: f + 1 certified votes commit; any path confirms.
    static CommitRule bullshark(const types::Committee& committee);
    // The same, and what is safe beside it: 2f + 1 proposed votes commit (Shoal++ section 5.1), and
    // an anchor for which no member has voted is skipped at once.
    static CommitRule fast(const types::Committee& committee);

    bool is_safe(const types::Committee& committee) const;
};

struct Parameters {
    // Vertices this many rounds below the last committed anchor are not ordered any more. Part of
    // the protocol: equal on all members.
    std::uint64_t gc_depth_rounds = 50;

    // A header names no batch that was sealed more rounds before it (batch_age.hpp). An author
    // whose header was never ordered knows that after gc_depth_rounds, and can propose the batch
    // again.
    std::uint64_t batch_age_rounds_max() const { return 2 * gc_depth_rounds; }

    // What blocks of so many rounds before the last anchor ordered may come again.
    std::uint64_t ordered_memory_rounds() const { return gc_depth_rounds + batch_age_rounds_max(); }

    // Rounds from the floor up that are held in memory; what is beyond is refused.
    std::uint64_t window_rounds = 512;
    // Who leads is decided by who took part in so many rounds before the last anchor. Part of the
    // protocol: equal on all members.
    std::uint64_t reputation_rounds = 40;

    // A round that has its quorum waits this long for the leader's vertex, for votes on the anchor,
    // and for one's own vertex. Doubles with each wave that commits nothing.
    Duration leader_timeout = std::chrono::milliseconds(200);
    Duration leader_timeout_max = std::chrono::seconds(3);
    // A round that could be left waits so long, and at most an eighth of what it took so far, for
    // the vertices that are still to be expected: one that is left out is ordered a round later.
    Duration parents_patience = std::chrono::milliseconds(5);
    // A round costs the same whatever it carries. So after one with much payload the next header
    // waits until its own predecessor is as old as that payload takes at this rate, but not longer
    // than `pace_max`: below the rate, rounds follow each other as fast as they can.
    std::size_t unpaced_bytes_per_s = std::size_t{32} << 20;
    Duration pace_max = std::chrono::milliseconds(40);
    // Without any progress, what may have been lost is sent or asked for again; doubles each time.
    Duration retry = std::chrono::milliseconds(250);
    Duration retry_max = std::chrono::seconds(4);
    // An answer to a request takes at most this long; then the next member is asked.
    Duration request_deadline = std::chrono::milliseconds(300);
    // A batch that a header names may still be on its way for this long; a larger one, that 2f
    // others hold already, for batch_grace: who asks sooner gets it twice, over a link that is
    // full.
    Duration batch_patience = std::chrono::milliseconds(30);

    // A batch is sealed when a header is due, or when it is full. One of at most so many bytes goes
    // to the others right in front of the header; a larger one is sealed when it is this old, and
    // sent ahead.
    std::size_t batch_bytes_with_header = std::size_t{32} << 10;
    Duration batch_delay_max = std::chrono::milliseconds(10);
    std::size_t batch_bytes = std::size_t{256} << 10;
    // A larger batch enters a header when 2f others hold it or this time has passed, and a small
    // one behind it not before.
    std::size_t batch_bytes_small = std::size_t{128} << 10;
    Duration batch_grace = std::chrono::seconds(3);
    // Of all batches that an own header names.
    std::size_t header_payload_bytes = std::size_t{1} << 20;

    // Blocks are signed when their time enters another span of this length, when this member has
    // signed none for twice as long, and the newest one when none has come for so long: a
    // certificate covers all blocks before it. Equal on all members.
    Duration block_signature_interval = std::chrono::milliseconds(50);

    // Headers from the future wait until they are at most this far ahead of the own clock.
    std::uint64_t header_lead_ms_max = 500;

    std::size_t own_bytes_max = std::size_t{8} << 20;     // not yet executed; beyond: busy
    std::size_t peer_bytes_max = std::size_t{128} << 20;  // batches of one author that are held
    // Batches that are held in all. Beyond, when the application cannot keep up, no headers are
    // voted for and only the next block's batches are fetched.
    std::size_t held_bytes_max = std::size_t{1} << 30;
    std::size_t served_bytes_per_s = std::size_t{64} << 20;  // to one peer, on request
    std::size_t blocks_ahead_max = 256;                      // handed over, not yet executed
};

// InvalidArgument, naming the parameter, if a bound is zero or two contradict each other.
Result<> check(const Parameters& parameters);

}  // namespace draco::consensus
