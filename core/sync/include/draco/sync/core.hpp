#pragma once
// Following as a state machine (docs/decisions/004): what is known to exist, what is missing, whom
// to ask. One range is fetched at a time, from the executed head on, of a second peer too if the
// first is slow; it is appended to the ledger, and when all of it is executed the next one is asked
// for, so the committee of what comes next is always known. At the head a tail is kept open at one
// peer: a question whose answer brings each block when it is certified. README.md tells the rules.
//
// Bounds: Limits, kRangeBlocksMax; one range per peer at a time, one tail. Not thread-safe.

#include "draco/base/clock.hpp"
#include "draco/interfaces/sync.hpp"
#include "draco/sync/messages.hpp"
#include "draco/sync/range_check.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco::sync {

struct Limits {
    std::size_t peers_max = 1024;
    std::size_t range_bytes_max = std::size_t{128} << 20;  // of one answer, in memory
    Duration patience = std::chrono::seconds(3);           // of a member, for its own core
    Duration status_timeout = std::chrono::seconds(5);
    Duration range_timeout = std::chrono::seconds(60);
    Duration stall_timeout = std::chrono::seconds(5);  // of a range without progress
    // A range ends that, beside so long, takes longer than its bytes do at this rate.
    std::size_t range_bytes_per_s_min = std::size_t{64} << 10;
    // After so long, and then again, a range that comes slower than this is asked of a second peer.
    Duration hedge_after = std::chrono::seconds(2);
    std::size_t hedge_bytes_per_s = std::size_t{1} << 20;
    Duration retry_first = std::chrono::milliseconds(200);  // when nobody can help; doubles
    Duration retry_max = std::chrono::seconds(10);
    Duration liar_pause = std::chrono::minutes(1);
    Duration failure_pause = std::chrono::seconds(2);  // doubles, up to liar_pause
    Duration publish_interval = std::chrono::milliseconds(100);
    Duration tail_wait = std::chrono::seconds(30);     // of the peer, for the next block
    Duration tail_timeout = std::chrono::minutes(10);  // then it is asked for anew
    // So long a tail may be behind what is certified elsewhere without bringing anything, and
    // hedge_after in all; what it sends at hedge_bytes_per_s has its time besides.
    Duration tail_patience = std::chrono::milliseconds(500);
    Duration tail_pause = std::chrono::minutes(2);  // of a peer that keeps no question
};

// Of the newest executed state.
struct Executed {
    Base head;
    types::Committee committee;  // of the epoch that the next block is of
};

// That a block of this height is certified, by the committee of this epoch: a later epoch counts
// for more, because heights beyond an epoch's last block, which members may certify before they
// know, are void.
struct Claim {
    types::Epoch epoch;
    types::Height height;

    auto operator<=>(const Claim&) const = default;
};

// ---- Events

struct PeerUp {
    types::NodeKey peer;
    bool is_guest = false;  // it came by itself and is in no list
};

struct PeerDown {
    types::NodeKey peer;
};

struct BlockExecuted {
    types::ChainHead head;
    std::optional<types::Committee> next_committee;
};

// Verified; from gossip.
struct CertificateSeen {
    types::NodeKey from;
    types::BlockCertificate certificate;
};

// Somebody claims this of a later epoch.
struct LaterEpochSeen {
    types::NodeKey from;
    Claim claim;
};

// The ledger has a certificate of an executed block.
struct CertificateMade {
    types::BlockCertificate certificate;
};

struct Follow {};

struct ChunkReceived {
    std::uint64_t ticket;
    ByteView chunk;
};

struct RequestEnded {
    std::uint64_t ticket;
    Result<> outcome;
};

// What became of to_append().
struct AppendTried {
    Result<> outcome;
};

struct TimePassed {};

using Event = std::variant<PeerUp,
                           PeerDown,
                           BlockExecuted,
                           CertificateSeen,
                           LaterEpochSeen,
                           CertificateMade,
                           Follow,
                           ChunkReceived,
                           RequestEnded,
                           AppendTried,
                           TimePassed>;

// ---- Effects

// Tells ChunkReceived and RequestEnded under this ticket, from later events on.
struct Ask {
    std::uint64_t ticket;
    types::NodeKey peer;
    Request request;
    Instant deadline;
};

struct CancelAsk {
    std::uint64_t ticket;
};

enum class Severity : std::uint8_t { Info, Warn, Error };

struct Remark {
    Severity severity;
    std::string text;
    std::optional<types::NodeKey> peer{};
    std::optional<types::Height> height{};
};

struct Effects {
    std::vector<CancelAsk> cancels;  // first
    std::vector<Ask> asks;
    std::vector<types::BlockCertificate> certify;  // verified: for the ledger
    std::optional<types::BlockCertificate> publish;
    std::vector<Remark> remarks;
};

class Core {
public:
    Core(types::ChainId chain,
         const types::NodeKey& self,
         Executed executed,
         const Limits& limits = {});

    void step(const Event& event, Instant now, Effects& effects);

    // The next block for the ledger; the owner tries it and tells AppendTried, until it is null.
    const interfaces::BlockWithContent* to_append() const;
    std::optional<Instant> wake_at() const;

    interfaces::SyncStatus status() const;

    const Executed& executed() const { return executed_; }

    types::Height known() const { return known_.height; }

private:
    struct Peer {
        bool is_up = false;
        bool is_guest = false;
        bool has_delivered = false;  // blocks, the last time it was asked
        Claim claim;                 // it may have blocks up to here
        types::Height lowest;
        std::uint32_t failures = 0;
        std::uint64_t asked_last = 0;  // ticket
        std::optional<Instant> paused_until;
        std::optional<Instant> no_tail_until;
        std::optional<std::uint64_t> status_ticket;
    };

    enum class Kind : std::uint8_t { Status, Range, Tail };

    struct Fetch {
        types::NodeKey peer;
        RangeCheck check;
        Kind kind;
        Instant begun;
        Instant stalls_at;
        Instant hedge_at{};
        std::size_t bytes = 0;
        // Of a tail.
        Instant certified_at{};            // when it brought something last
        std::size_t bytes_before_gap = 0;  // when the gap that is watched began
        std::size_t bytes_executed = 0;    // when all that it had brought was executed
    };

    // Whom to ask first: the least.
    struct Rank {
        bool is_stranger;
        std::uint32_t failures;
        std::uint64_t asked_last;

        auto operator<=>(const Rank&) const = default;
    };

    // At whom to keep the tail: the least.
    struct TailRank {
        bool is_stranger;
        bool is_no_member;
        std::uint32_t failures;
        std::uint64_t asked_last;

        auto operator<=>(const TailRank&) const = default;

        // Whatever happened when they were asked.
        bool is_before(const TailRank& other) const {
            return std::pair(is_stranger, is_no_member) <
                   std::pair(other.is_stranger, other.is_no_member);
        }
    };

    void on(const PeerUp& event, Instant now, Effects& effects);
    void on(const PeerDown& event, Instant now, Effects& effects);
    void on(const BlockExecuted& event, Instant now, Effects& effects);
    void on(const CertificateSeen& event, Instant now, Effects& effects);
    void on(const LaterEpochSeen& event, Instant now, Effects& effects);
    void on(const CertificateMade& event, Instant now, Effects& effects);
    void on(const Follow& event, Instant now, Effects& effects);
    void on(const ChunkReceived& event, Instant now, Effects& effects);
    void on(const RequestEnded& event, Instant now, Effects& effects);
    void on(const AppendTried& event, Instant now, Effects& effects);
    void on(const TimePassed& event, Instant now, Effects& effects);

    void settle(Instant now, Effects& effects);
    void watch_gap(Instant now);
    bool may_fetch(Instant now) const;
    bool is_behind() const;
    types::Height target() const;
    void fetch(Instant now, Effects& effects);
    bool may_hedge() const;
    void hedge(Instant now, Effects& effects);
    void ask_range(const types::NodeKey& key, Instant now, Effects& effects);
    Rank rank(const types::NodeKey& key, const Peer& peer) const;
    bool gives_range(const types::NodeKey& key) const;
    Duration failure_pause(std::uint32_t failures) const;
    void end_ranges(Effects& effects);
    void end_epoch(Effects& effects);
    bool is_void(const Claim& claim) const;
    types::Height last_at_hand() const;
    void nobody_helps(Instant now, Effects& effects);
    std::optional<types::NodeKey> best_peer(Instant now) const;
    bool has_nothing_at_hand() const;
    void tend_tail(Instant now, Effects& effects);
    bool may_open_tail() const;
    bool may_have_tail(const Peer& peer) const;
    std::optional<Instant> tails_pause_until() const;
    void move_tail(Instant now, Effects& effects);
    void leave_tail(Instant now, Effects& effects);
    void open_tail(Instant now, Effects& effects);
    void end_tail(Effects& effects);
    TailRank tail_rank(const types::NodeKey& key, const Peer& peer) const;
    std::optional<types::NodeKey> best_tail_peer(Instant now) const;
    std::optional<Instant> tail_is_late_at() const;
    std::optional<Instant> left_to_tail_until() const;
    void end_tail_answer(const Fetch& tail, Instant now);
    void pause_tails_of(const types::NodeKey& key, Instant now);
    void ask_status(const types::NodeKey& key, Instant now, Effects& effects);
    void ask_all_status(Instant now, Effects& effects);
    void take_status(const Fetch& fetch, Effects& effects);
    Instant stalls_at(const Fetch& fetch, Instant now) const;
    void take_certified(Fetch& fetch, Instant now);
    void praise(const types::NodeKey& key);
    void drop(std::uint64_t ticket);
    void end_fetch(std::uint64_t ticket, const Result<>& outcome, Instant now, Effects& effects);
    void fail_fetch(std::uint64_t ticket, const Error& error, Instant now, Effects& effects);
    void learn(const types::BlockCertificate& certificate, Effects& effects);
    void publish_if_due(Instant now, Effects& effects);

    types::ChainId chain_;
    types::NodeKey self_;
    Limits limits_;
    Executed executed_;
    Claim known_;
    std::map<types::NodeKey, Peer> peers_;
    std::map<std::uint64_t, Fetch> fetches_;  // by ticket
    std::vector<std::uint64_t> ranges_;       // of them: one, or two of the same blocks
    std::optional<std::uint64_t> tail_;       // of them
    std::uint64_t ticket_last_ = 0;
    std::deque<CertifiedBlock> waiting_;  // for the ledger
    types::Height appended_;
    bool ledger_is_full_ = false;
    bool ledger_is_broken_ = false;
    bool follow_ = false;

    // A gap that is watched: blocks up to gap_target_ were known at gap_since_.
    std::optional<Instant> gap_since_;
    types::Height gap_target_;

    std::optional<Instant> ripens_at_;  // until then the gap is left to the own core, or the tail

    std::optional<Instant> hold_until_;  // after a refusal of the ledger
    std::optional<Instant> retry_at_;
    Duration retry_delay_;
    std::optional<types::Height> told_pruned_;

    std::optional<types::BlockCertificate> unpublished_;
    std::optional<Instant> published_at_;
    types::Height published_;

    std::uint64_t blocks_fetched_ = 0;
    std::uint64_t liars_ = 0;
    types::Height fetched_;
};

}  // namespace draco::sync
