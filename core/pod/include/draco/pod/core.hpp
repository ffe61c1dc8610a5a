#pragma once
// What clients acknowledge, and when it is settled: a deterministic core (docs/decisions/004). It
// judges an acknowledgement against its lane as the chain has it, keeps the highest word of each
// lane, and brings what the chain has not counted to it, one settlement after the other.
//
// Persist before reply, persist before submit: a word counts here, and is settled, only after the
// driver has said that it is durable.
//
// Owner: one driver, which performs the effects of a step in their order and reports what came of
// them as events, each once.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/delivery.hpp"
#include "draco/pod/journal.hpp"
#include "draco/pod/settlement_pace.hpp"
#include "draco/pod/submitter.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

namespace draco::pod {

struct CoreOptions {
    PaceOptions pace{};
    std::size_t lanes_max = 65'536;      // whose words are kept; a new lane beyond is refused
    std::size_t peers_max = 1'024;       // whose shares are counted; others get none
    std::size_t lanes_read_max = 1'024;  // looked up at the chain with one block
    // After a settlement whose outcome is unknown, or that the chain did not take; doubles.
    Duration retry_first = std::chrono::seconds(1);
    Duration retry_max = std::chrono::minutes(1);
};

using RequestId = std::uint64_t;
// Counts records for the journal, from 1.
using Ticket = std::uint64_t;

// A lane in one state of the chain.
struct LaneOnChain {
    std::optional<types::Lane> lane{};
    UnixTime time{};             // of the state's head
    types::Nonce payer_nonce{};  // if there is no lane: of its payer's last transaction
};

// --- events

struct AckReceived {
    RequestId request;  // unique
    types::SignedDeliveryAck word;
    LaneOnChain chain;
};

struct StandingAsked {
    RequestId request;  // unique
    types::LaneKey lane;
    LaneOnChain chain;
};

// Bytes that came from peers and were sold, since the last time.
struct PeersServed {
    std::vector<types::PeerShare> peers;
};

struct ChainSeen {
    ChainClock clock;
};

// To a ReadLanes effect, each once; what could not be read is left out.
struct LanesRead {
    std::vector<std::pair<types::LaneKey, LaneOnChain>> lanes;
};

// All records up to this ticket, or an error: then the core is of no more use.
struct Persisted {
    Ticket up_to;
    Result<> result;
};

struct Judged {
    std::uint64_t settlement;
    Result<Judgement> result;
};

struct TimePassed {};

using Event = std::variant<AckReceived,
                           StandingAsked,
                           PeersServed,
                           ChainSeen,
                           LanesRead,
                           Persisted,
                           Judged,
                           TimePassed>;

// --- effects

// Make it durable, in the order of tickets; one answer may be for many.
struct Persist {
    Ticket ticket;
    JournalRecord record;
};

struct ReadLanes {
    std::vector<types::LaneKey> lanes;
};

struct Submit {
    std::uint64_t settlement;
    Settlement content;
};

// The outcome of a request; each gets one.
struct Reply {
    RequestId request;
    Result<interfaces::LaneStanding> result;
};

// For people: this word is not kept any longer, and `units` of it were not seen to be counted.
struct AckDropped {
    types::SignedDeliveryAck word;
    types::AckOutcome why;
    std::uint64_t units;
};

// For people: the chain did not take a settlement, or what became of it is unknown. What it held
// is brought again; the peers it named are, if `peers_kept`.
struct SettlementFailed {
    Error error;
    bool peers_kept;
};

using Effect = std::variant<Persist, ReadLanes, Submit, Reply, AckDropped, SettlementFailed>;
using Effects = std::vector<Effect>;

class Core {
public:
    // `journal` is what is durable. Until the first ChainSeen nothing is settled.
    Core(types::ChainId chain,
         const types::NodeKey& node,
         const JournalContent& journal,
         CoreOptions options);

    void step(Event event, Instant now, Effects& effects);

    // When TimePassed is due; nullopt: only another event can change anything.
    std::optional<Instant> wakes_at() const;

    // As interfaces::Acknowledgements. O(log n + count_max), O(n).
    std::vector<types::SignedDeliveryAck> kept(const std::optional<types::LaneKey>& after,
                                               std::size_t count_max) const;
    interfaces::DeliveryStatus status() const;

    std::size_t live_count() const { return lanes_.size() + peers_.size(); }

    // All that the journal has to hold, what is not durable yet included. O(n).
    std::vector<JournalRecord> live() const;

    // The journal could not be written; nothing is taken or settled any more.
    const std::optional<Error>& failure() const { return failure_; }

private:
    // A lane with a word that the chain has not counted.
    struct Kept {
        types::SignedDeliveryAck newest;                  // perhaps not durable yet
        std::optional<types::SignedDeliveryAck> durable;  // of the same instance
        std::optional<types::Lane> lane;                  // as it was last seen
        std::optional<UnixTime> listed_closes;            // in closing_
    };

    using Lanes = std::map<types::LaneKey, Kept>;

    // A request that waits until its record is durable.
    struct Waiting {
        Ticket ticket;
        RequestId request;
        types::SignedDeliveryAck word;
        types::Lane lane;
    };

    struct Flight {
        std::uint64_t settlement;
        Settlement content;
        Ticket ticket;  // durable before it is sent
        bool sent = false;
    };

    // core.cpp: taking words.
    void on(const AckReceived& event, Instant now, Effects& effects);
    void on(const StandingAsked& event, Instant now, Effects& effects);
    void on(const Persisted& event, Instant now, Effects& effects);
    Result<> judge(const types::SignedDeliveryAck& word, const LaneOnChain& chain) const;
    std::uint64_t acknowledged(const types::DeliveryAck& ack, const types::Lane& lane) const;
    interfaces::LaneStanding standing(const types::LaneKey& key, const types::Lane& lane) const;
    void keep(const AckReceived& event, Effects& effects);
    void became_durable(const Waiting& waiting);
    void persist(const JournalRecord& record, Effects& effects);

    // core_settlement.cpp: bringing them to the chain.
    void on(const PeersServed& event, Instant now, Effects& effects);
    void on(const ChainSeen& event, Instant now, Effects& effects);
    void on(const LanesRead& event, Instant now, Effects& effects);
    void on(Judged event, Instant now, Effects& effects);
    void on(TimePassed event, Instant now, Effects& effects);
    void saw(const types::LaneKey& key, const LaneOnChain& chain, Effects& effects);
    void saw_settled(Kept& kept, types::LaneInstance instance, std::uint64_t settled);
    void forget(Lanes::iterator at);
    void forget_if_counted(Lanes::iterator at);
    void drop(Lanes::iterator at, types::AckOutcome why, Effects& effects);
    bool can_settle(const Kept& kept) const;
    void list_closing(const types::LaneKey& key, Kept& kept);
    void read_next_lanes(Effects& effects);
    void add_peer(const types::PeerShare& share);
    void save_peers(Instant now, Effects& effects);
    bool may_settle() const;
    Urgency urgency() const;
    std::optional<Instant> settlement_due() const;
    void settle_if_due(Instant now, Effects& effects);
    std::vector<types::SignedDeliveryAck> choose_acks();
    // Of what the chain is to count with these words, in bytes at most.
    std::uint64_t uncounted(const std::vector<types::SignedDeliveryAck>& acks) const;
    std::vector<types::PeerShare> choose_peers(std::uint64_t bytes_max) const;
    void send_flight(Effects& effects);
    void judged(const types::SignedDeliveryAck& word, types::AckOutcome outcome, Effects& effects);
    void read_again(const Settlement& settlement, Effects& effects);
    void reverted(const Settlement& settlement,
                  types::Revert revert,
                  Instant now,
                  Effects& effects);
    void back_off(Instant now);

    const types::ChainId chain_;
    const types::NodeKey node_;
    const CoreOptions options_;
    SettlementPace pace_;
    types::Epoch epoch_{};
    Lanes lanes_;
    // Of those that can be settled, by the time that is left.
    std::set<std::pair<UnixTime, types::LaneKey>> closing_;
    std::deque<Waiting> waiting_;  // ascending by ticket
    Ticket ticket_last_ = 0;
    std::map<types::NodeKey, std::uint64_t> peers_;  // not named by a settlement yet
    std::set<types::NodeKey> peers_unsaved_;
    Instant peers_saved_at_{};
    std::optional<types::Epoch> peers_refused_in_;  // no more can be named in this epoch
    std::optional<types::LaneKey> read_last_;
    std::size_t reads_out_ = 0;
    std::optional<Flight> flight_;
    std::uint64_t settlement_last_ = 0;
    bool more_wait_ = false;
    Instant retry_at_{};
    Duration backoff_;
    interfaces::DeliveryStatus counts_{};
    std::optional<Error> failure_;
};

}  // namespace draco::pod
