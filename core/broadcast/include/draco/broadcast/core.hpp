#pragma once
// Gossip as a state machine (docs/decisions/004): the same events give the same effects.
//
// A payload that the subscriber accepts is passed on: a short one is pushed to `fan_out` peers and
// its digest is advertised to the others a moment later; a long one is advertised to all at once.
// A peer that lacks what is advertised pulls it, from one holder at a time. Digests of what is
// still fresh are advertised to each peer that comes up, and a few times more to peers of which it
// is not known that they have it: so what a link lost is found.
//
// Bounds: all in Limits. What is beyond is dropped, which costs copies or time, never correctness.
// Not thread-safe.

#include "draco/base/clock.hpp"
#include "draco/broadcast/messages.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace draco::broadcast {

struct Limits {
    std::size_t fan_out = 6;
    std::size_t peers_max = 1024;
    std::size_t seen_max = 4096;                 // digests remembered
    std::size_t store_bytes_max = 4U << 20U;     // payloads kept for those who pull
    Duration age_max = std::chrono::minutes(2);  // of both
    std::size_t wanted_max = 1024;               // digests advertised and not here
    std::size_t wanted_per_peer_max = 256;
    std::size_t holders_max = 4;  // remembered of one wanted digest
    Duration pull_timeout = std::chrono::seconds(1);
    Duration advertise_delay = std::chrono::milliseconds(100);  // after a push; then doubling
    std::uint32_t advertise_rounds = 6;
    std::size_t advertised_max = 512;  // digests in rounds at a time
    // Of each peer: messages per second, and as many at once; bytes of answers to its pulls.
    std::uint64_t messages_per_s = 512;
    std::uint64_t pull_bytes_per_s = 1U << 20U;
    std::uint32_t faults_max = 8;  // then the peer is not listened to for
    Duration mute = std::chrono::minutes(1);
};

// ---- Events

struct PeerUp {
    types::NodeKey peer;
};

struct PeerDown {
    types::NodeKey peer;
};

struct Publish {
    interfaces::Topic topic;
    Bytes payload;  // at most kGossipBytesMax
};

struct MessageReceived {
    types::NodeKey from;
    ByteView message;
};

// The answer to Effects::judge, before the next event.
struct Judged {
    PayloadDigest digest;
    interfaces::GossipVerdict verdict;
};

struct TimePassed {};

using Event = std::variant<PeerUp, PeerDown, Publish, MessageReceived, Judged, TimePassed>;

// ---- Effects

struct Send {
    types::NodeKey to;
    std::shared_ptr<const Bytes> message;  // shared by those who get the same
};

struct Judge {
    PayloadDigest digest;
    interfaces::Topic topic;
    types::NodeKey from;
    std::shared_ptr<const Bytes> payload;
};

struct Effects {
    std::vector<Send> sends;     // any may be lost
    std::optional<Judge> judge;  // ask the subscriber, and tell Judged
};

struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t duplicates = 0;    // payloads that had come before
    std::uint64_t rejected = 0;      // by the subscriber
    std::uint64_t malformed = 0;     // undecodable, unasked, or not what was asked for
    std::uint64_t over_rate = 0;     // dropped unread
    std::uint64_t pulls_failed = 0;  // no answer in time
    std::uint64_t mutes = 0;
};

class Core {
public:
    // `seed` decides whom a payload is pushed to.
    explicit Core(std::uint64_t seed, const Limits& limits = {});

    void step(const Event& event, Instant now, Effects& effects);

    // When TimePassed is due; nullopt while nothing is under way.
    std::optional<Instant> wake_at() const;

    const Counts& counts() const { return counts_; }

    std::size_t store_bytes() const { return store_bytes_; }

    std::size_t seen_count() const { return seen_.size(); }

    std::size_t wanted_count() const { return wanted_.size(); }

private:
    // A budget that refills with time.
    struct Bucket {
        std::uint64_t left = 0;
        Instant filled{};
        bool take(std::uint64_t amount, std::uint64_t per_s, Instant now);
    };

    struct Peer {
        Bucket messages;
        Bucket pulls;
        std::uint32_t faults = 0;
        std::optional<Instant> muted_until;
        std::size_t wanted = 0;      // that it is a holder of
        std::uint32_t timeouts = 0;  // since its last answer
        bool is_up = false;
    };

    enum class State : std::uint8_t { Judging, Accepted, Dropped };

    struct Seen {
        State state = State::Judging;
        std::uint8_t topic = 0;
        std::shared_ptr<const Bytes> payload;  // null: no more, or dropped
        Instant when{};
        types::NodeKey from{};
        std::set<types::NodeKey> holders{};  // peers that have shown they have it
        std::uint32_t rounds = 0;            // of advertising
        std::optional<Instant> advertise_at{};
    };

    struct Wanted {
        std::deque<types::NodeKey> holders;  // the first is asked
        Instant deadline{};
    };

    void on(const PeerUp& event, Instant now, Effects& effects);
    void on(const PeerDown& event, Instant now, Effects& effects);
    void on(const Publish& event, Instant now, Effects& effects);
    void on(const MessageReceived& event, Instant now, Effects& effects);
    void on(const Judged& event, Instant now, Effects& effects);
    void on(const TimePassed& event, Instant now, Effects& effects);

    void receive(const types::NodeKey& from, Push& message, Instant now, Effects& effects);
    void receive(const types::NodeKey& from, Advertise& message, Instant now, Effects& effects);
    void receive(const types::NodeKey& from, Pull& message, Instant now, Effects& effects);
    void receive(const types::NodeKey& from, Deliver& message, Instant now, Effects& effects);
    void receive(const types::NodeKey& from, Absent& message, Instant now, Effects& effects);

    void take_payload(const types::NodeKey& from,
                      std::uint8_t topic,
                      Bytes payload,
                      const PayloadDigest& digest,
                      Instant now,
                      Effects& effects);
    void pass_on(const PayloadDigest& digest, Instant now, Effects& effects);
    void push_to_some(const PayloadDigest& digest, Effects& effects);
    void advertise_due(Instant now, Effects& effects);
    void want(const types::NodeKey& from, const PayloadDigest& digest, Instant now, Effects& out);
    void ask_first(const PayloadDigest& digest, Wanted& wanted, Instant now, Effects& effects);
    void ask_next(const PayloadDigest& digest, Instant now, Effects& effects);
    void advertise(const types::NodeKey& to,
                   const std::vector<PayloadDigest>& digests,
                   Effects& effects) const;
    void forget_wanted(const PayloadDigest& digest);
    void fault(const types::NodeKey& peer, Instant now);
    void remember(const PayloadDigest& digest, Seen seen);
    void drop_oldest();
    void drop_aged(Instant now);
    void schedule(const PayloadDigest& digest, Seen& seen, Instant when);
    void unschedule(const PayloadDigest& digest, Seen& seen);
    bool is_muted(const types::NodeKey& peer, Instant now) const;
    std::uint64_t draw(std::uint64_t bound);

    Limits limits_;
    std::uint64_t random_;
    std::map<types::NodeKey, Peer> peers_;
    std::map<PayloadDigest, Seen> seen_;
    std::deque<PayloadDigest> order_;  // of seen_, oldest first
    std::size_t store_bytes_ = 0;
    std::set<std::pair<Instant, PayloadDigest>> advertise_;  // by Seen::advertise_at
    std::map<PayloadDigest, Wanted> wanted_;
    std::set<std::pair<Instant, PayloadDigest>> deadlines_;  // of wanted_
    Counts counts_;
};

}  // namespace draco::broadcast
