#pragma once
// Who has which object, as a state machine (docs/decisions/004): the same events give the same
// effects. A one-hop table: everybody knows the active nodes, so everybody knows the keepers of an
// object's records (keepers.hpp), and asks them directly.
//
// A provider tells the keepers of each of its objects, again at a third of the records' lifetime,
// and whenever a node becomes a keeper or its link comes up: keepers forget what they kept when
// they stop. A keeper takes records only from the node that they are of, signed, and only if it is
// among the 2 * kKeepers best for the object: two nodes may differ for a while on who is active.
// A lookup asks all keepers; it ends when all have answered, or a moment after the first has named
// somebody. Nobody's word is proof but the provider's signature, and that only says that it says
// so.
//
// Not thread-safe. A step costs O(log n), but for NodesChanged and PeerUp: O(objects provided).

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/providers.hpp"
#include "draco/resolver/keepers.hpp"
#include "draco/resolver/messages.hpp"
#include "draco/resolver/record_store.hpp"

#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace draco::resolver {

struct Limits {
    RecordLimits records = {};
    std::size_t provided_max = std::size_t{1} << 15;
    std::size_t finds_max = 1024;
    Duration lifetime = std::chrono::hours(1);      // of own records
    Duration lifetime_max = std::chrono::hours(3);  // of records that are kept
    Duration find_timeout = std::chrono::seconds(3);
    Duration find_grace = std::chrono::milliseconds(250);  // after the first that was named
    // To each peer, so many messages of kAnnouncedMax records at a time, and the pause after it.
    std::size_t announce_burst = 1;
    Duration announce_pause = std::chrono::milliseconds(250);
    // From each peer: records per second, and as many at once. One costs a signature check, and a
    // hash for each active node.
    std::uint64_t records_per_s = 512;
};

// When something happened: on the time line, and for records, whose life is in wall time.
struct Moment {
    Instant now{};
    UnixTime unix_now{};
};

// ---- Events

// All active nodes, ascending; this one may be among them.
struct NodesChanged {
    std::vector<types::NodeKey> nodes;
};

struct PeerUp {
    types::NodeKey peer;
};

struct PeerDown {
    types::NodeKey peer;
};

struct Provide {
    types::ContentHash hash;
};

struct Withdraw {
    types::ContentHash hash;
};

struct MessageReceived {
    types::NodeKey from;
    ByteView message;
};

// An Effects::sends was refused: what that peer is to know is told later.
struct SendFailed {
    types::NodeKey to;
};

struct LookupReceived {
    std::uint64_t ticket = 0;
    types::NodeKey from;
    ByteView request;
};

// `find` is a new number.
struct Find {
    std::uint64_t find = 0;
    types::ContentHash hash;
    Instant deadline{};
};

struct AnswerReceived {
    std::uint64_t find = 0;
    types::NodeKey from;
    Result<Bytes> answer;
};

struct TimePassed {};

using Event = std::variant<NodesChanged,
                           PeerUp,
                           PeerDown,
                           Provide,
                           Withdraw,
                           MessageReceived,
                           SendFailed,
                           LookupReceived,
                           Find,
                           AnswerReceived,
                           TimePassed>;

// ---- Effects

struct Send {
    types::NodeKey to;
    Bytes message;
};

struct Ask {
    std::uint64_t find = 0;
    types::NodeKey keeper;
    Bytes request;
    Instant deadline{};
};

struct Answer {
    std::uint64_t ticket = 0;
    Result<Bytes> answer;
};

struct Done {
    std::uint64_t find = 0;
    Result<std::vector<types::NodeKey>> providers;
};

struct Effects {
    std::vector<Send> sends;
    std::vector<Ask> asks;  // and tell AnswerReceived for each
    std::vector<Answer> answers;
    std::vector<Done> done;
};

class Core {
public:
    Core(types::ChainId chain, types::NodeSecretKey key, const Limits& limits = {});

    void step(const Event& event, const Moment& moment, Effects& effects);

    // When TimePassed is due.
    std::optional<Instant> wake_at() const;

    interfaces::ProvidersStatus status() const;

private:
    struct Provided {
        types::SignedProviderRecord record;
        std::vector<ScoredNode> keepers;  // the best first; this node may be among them
        Instant renew_at{};
    };

    struct Peer {
        bool is_up = false;
        std::set<types::ContentHash> owed;  // objects whose record it is to be told
        Instant tell_at{};                  // not before
        std::uint64_t budget = 0;           // records that it may still send
        Instant budget_filled{};
    };

    struct Search {
        types::ContentHash hash;
        Instant ends{};
        std::set<types::NodeKey> waiting;  // keepers
        std::map<types::NodeKey, std::uint32_t> named;
        std::size_t answered = 0;
    };

    void on(const NodesChanged& event, Effects& effects);
    void on(const PeerUp& event, Effects& effects);
    void on(const PeerDown& event, Effects& effects);
    void on(const Provide& event, Effects& effects);
    void on(const Withdraw& event, Effects& effects);
    void on(const MessageReceived& event, Effects& effects);
    void on(const SendFailed& event, Effects& effects);
    void on(const LookupReceived& event, Effects& effects);
    void on(const Find& event, Effects& effects);
    void on(const AnswerReceived& event, Effects& effects);
    void on(const TimePassed& event, Effects& effects);

    types::SignedProviderRecord make_record(const types::ContentHash& hash, bool is_withdrawn);
    void renew(const types::ContentHash& hash, Provided& provided);
    void owe_all(const types::ContentHash& hash, const Provided& provided);
    void owe(const types::NodeKey& keeper, const types::ContentHash& hash);
    void take_record(Peer& peer,
                     const types::NodeKey& from,
                     const types::SignedProviderRecord& record);
    bool is_active(const types::NodeKey& node) const;
    bool keep(const types::SignedProviderRecord& record);
    bool take_budget(Peer& peer) const;
    Instant until(UnixTime expires) const;
    void note_named(Search& search, const std::vector<types::SignedProviderRecord>& records);
    void end_search(std::uint64_t find, Effects& effects);
    void tell_owed(Effects& effects);

    types::ChainId chain_;
    types::NodeSecretKey key_;
    types::NodeKey self_;
    Limits limits_;
    Moment moment_{};
    std::vector<types::NodeKey> nodes_;  // active, ascending
    std::map<types::NodeKey, Peer> peers_;
    std::map<types::ContentHash, Provided> provided_;
    std::set<std::pair<Instant, types::ContentHash>> renewals_;
    std::uint64_t sequence_ = 0;
    RecordStore records_;
    std::map<std::uint64_t, Search> searches_;
    interfaces::ProvidersStatus status_;
};

}  // namespace draco::resolver
