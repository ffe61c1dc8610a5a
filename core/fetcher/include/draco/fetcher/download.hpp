#pragma once
// How one object is got from several peers, as a state machine (docs/decisions/004): the same
// events give the same effects.
//
// First its head, from one peer, and from another one when that is slow; the head brings the last
// block, which proves the length. Then ranges of blocks, several from each peer: first those that
// somebody waits for, then those ahead of readers, then, if somebody wants all, the others. A range
// without a block for `late_after` is asked for elsewhere too, and its peer for nothing else until
// it goes on. Who sends what does not verify is a liar and out; who fails rests, twice as long each
// time, and is out after `failures_max` failures in a row. When nobody is left, providers are
// looked for again.
//
// A reader is where it read, or began to wait, last. What lies in no window of `read_ahead_blocks`
// that begins at a reader, and nobody waits for, is not asked for; when there is nothing else the
// download rests, and no time runs. A block that is waited for is asked for wherever readers are.
//
// Blocks are in one of three states: here, in a range that counts (at most one), or missing. Not
// thread-safe. A step costs O(log blocks + ranges + peers), and where ranges are chosen
// O((readers + blocks waited for) log blocks) at worst.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/fetcher/block_set.hpp"
#include "draco/types/content.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace draco::fetcher {

struct DownloadLimits {
    std::size_t peers_max = 32;
    std::size_t asks_per_peer_max = 4;
    std::size_t heads_max = 2;       // asked for at the same time
    std::uint32_t range_blocks = 8;  // at most kRangeBlocksMax
    // Asked for ahead of a reader, from where it is on: 16 MiB.
    std::uint64_t read_ahead_blocks = 64;
    std::uint32_t failures_max = 6;  // in a row
    Duration late_after = std::chrono::seconds(3);
    Duration ask_timeout = std::chrono::seconds(30);  // without a block, or part of a head
    Duration pause_first = std::chrono::milliseconds(250);
    Duration find_pause = std::chrono::seconds(5);  // between searches
    Duration stall_max = std::chrono::seconds(60);  // without progress the download has failed
};

// ---- Events

struct Start {};

struct ProvidersFound {
    Result<std::vector<types::NodeKey>> providers;
};

// There is room for one more ask; `ticket` is a new number. No effect if none makes sense.
struct SlotFree {
    std::uint64_t ticket = 0;
};

// A part of a head has come.
struct HeadGrew {
    std::uint64_t ticket = 0;
};

struct HeadJudged {
    std::uint64_t ticket = 0;
    bool is_true = false;
    std::uint64_t leaves = 0;
    bool is_whole = false;  // nothing else is missing: a directory, or the store has the file
};

struct BlockJudged {
    std::uint64_t ticket = 0;
    std::uint64_t index = 0;
    bool is_true = false;
};

// After everything that came of it was judged. Success: the peer said that this is all. NotFound
// and InvalidArgument as the outcome of a head: this peer is of no use.
struct AskEnded {
    std::uint64_t ticket = 0;
    Result<> outcome;
};

// Of readers and blocks: no effect before is_open(). Precondition: there is such a block.

// A reader has read this block, or waits for it.
struct ReaderAt {
    std::uint64_t reader = 0;
    std::uint64_t index = 0;
};

struct ReaderGone {
    std::uint64_t reader = 0;
};

// Somebody waits for this block, until it is here.
struct Wanted {
    std::uint64_t index = 0;
};

// Nobody does any more.
struct Unwanted {
    std::uint64_t index = 0;
};

// Whether all blocks are wanted, wherever readers are. At first they are not. Counts at any time.
struct WholeWanted {
    bool is_wanted = false;
};

// It was here, and is damaged. As if somebody waited for it.
struct BlockLost {
    std::uint64_t index = 0;
};

// To another download, or about another one's object.
struct PeerLied {
    types::NodeKey peer;
};

struct TimePassed {};

using Event = std::variant<Start,
                           ProvidersFound,
                           SlotFree,
                           HeadGrew,
                           HeadJudged,
                           BlockJudged,
                           AskEnded,
                           ReaderAt,
                           ReaderGone,
                           Wanted,
                           Unwanted,
                           WholeWanted,
                           BlockLost,
                           PeerLied,
                           TimePassed>;

// ---- Effects

struct BlockRange {
    std::uint64_t first = 0;
    std::uint64_t end = 0;

    bool operator==(const BlockRange&) const = default;
};

struct Ask {
    std::uint64_t ticket = 0;
    types::NodeKey peer;
    std::optional<BlockRange> blocks;  // none: the head
};

struct Effects {
    bool find = false;  // and tell ProvidersFound
    std::optional<Ask> ask;
    std::vector<std::uint64_t> cancels;  // asks that need not go on; no AskEnded is expected
    std::vector<types::NodeKey> liars;
    bool is_complete = false;      // every block is here, now
    std::optional<Error> failure;  // the download is over
};

class Download {
public:
    explicit Download(const types::ContentHash& hash, const DownloadLimits& limits = {});

    void step(const Event& event, Instant now, Effects& effects);

    // When TimePassed is due.
    std::optional<Instant> wake_at() const;

    // The head is here.
    bool is_open() const { return phase_ == Phase::Blocks || phase_ == Phase::Complete; }

    bool is_here(std::uint64_t index) const { return is_open() && here_[index]; }

    std::uint64_t here_count() const { return here_count_; }

    std::uint64_t leaves() const { return here_.size(); }

    std::size_t ask_count() const { return asks_.size(); }

    // It is open, not whole, nothing is under way, and nobody wants more.
    bool is_resting() const { return phase_ == Phase::Blocks && asks_.empty() && !next_wish(); }

private:
    enum class Phase : std::uint8_t { Finding, Head, Blocks, Complete, Failed };

    struct Peer {
        std::size_t order = 0;  // as the providers were found
        std::size_t asks = 0;
        std::size_t late = 0;  // of them
        std::uint32_t failures = 0;
        Instant rest_until{};
        bool is_out = false;
        bool has_not = false;  // said NotFound
    };

    struct Open {
        types::NodeKey peer;
        std::optional<BlockRange> blocks;
        Instant progressed{};
        bool is_late = false;
        bool counts = true;  // its blocks are not missing
    };

    void on(const Start& event, Effects& effects);
    void on(const ProvidersFound& event, Effects& effects);
    void on(const SlotFree& event, Effects& effects);
    void on(const HeadGrew& event, Effects& effects);
    void on(const HeadJudged& event, Effects& effects);
    void on(const BlockJudged& event, Effects& effects);
    void on(const AskEnded& event, Effects& effects);
    void on(const ReaderAt& event, Effects& effects);
    void on(const ReaderGone& event, Effects& effects);
    void on(const Wanted& event, Effects& effects);
    void on(const Unwanted& event, Effects& effects);
    void on(const WholeWanted& event, Effects& effects);
    void on(const BlockLost& event, Effects& effects);
    void on(const PeerLied& event, Effects& effects);
    void on(const TimePassed& event, Effects& effects);

    // Where the next range begins, and what it has to end before.
    struct Wish {
        enum class Whose : std::uint8_t { Waits, ReadsOn, WantsAll };
        Whose whose = Whose::Waits;
        std::uint64_t place = 0;  // of who waits or reads on
        std::uint64_t first = 0;
        std::uint64_t end = 0;
    };

    const types::NodeKey* best_peer() const;
    std::optional<Wish> next_wish() const;
    std::optional<Wish> waiting_wish(std::uint64_t begin, std::uint64_t end) const;
    std::optional<Wish> reading_wish(std::uint64_t begin, std::uint64_t end) const;
    std::optional<BlockRange> next_range();
    void leave_place(std::uint64_t reader);
    bool has_peers() const;  // somebody who can still be of use
    bool may_ask_head() const;
    void take_block(std::uint64_t from, std::uint64_t index, Effects& effects);
    void progressed(std::uint64_t ticket);
    void release(const Open& ask);
    void drop_ask(std::uint64_t ticket, Effects& effects);
    void expel(const types::NodeKey& peer, Effects& effects);
    void failed(Peer& peer);
    void check_times(Effects& effects);
    void settle(Effects& effects);
    void give_up(Errc code, const std::string& why, Effects& effects);
    std::optional<Instant> next_rest() const;

    types::ContentHash hash_;
    DownloadLimits limits_;
    Phase phase_ = Phase::Finding;
    Instant now_{};
    Instant progressed_{};  // when something true came last
    bool is_finding_ = false;
    Instant find_at_{};  // not before
    std::map<types::NodeKey, Peer> peers_;
    std::set<types::NodeKey> liars_;
    std::map<std::uint64_t, Open> asks_;
    std::vector<bool> here_;
    std::uint64_t here_count_ = 0;
    BlockSet missing_;
    std::set<std::uint64_t> wanted_;                  // not here, and waited for
    std::map<std::uint64_t, std::uint64_t> readers_;  // where each is
    std::map<std::uint64_t, std::size_t> places_;     // how many are there
    std::uint64_t waiting_turn_ = 0;                  // who waits there or behind is next
    std::uint64_t reading_turn_ = 0;
    bool is_whole_wanted_ = false;
    std::string last_error_;
};

}  // namespace draco::fetcher
