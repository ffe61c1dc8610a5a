#pragma once
// The node's side of all client sessions, as a deterministic core: who may speak, what may be read
// and sent, and when a session ends. Transports, content and acknowledgements are the driver's.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/base/strong_id.hpp"
#include "draco/handshake/session_limits.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/interfaces/delivery.hpp"
#include "draco/types/session.hpp"

#include "byte_buckets.hpp"
#include "lane_book.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco::handshake {

// Given by the driver, never twice.
using SessionId = StrongId<struct SessionIdTag, std::uint64_t>;

// ---- what happens

struct Accepted {
    SessionId session{};
    std::uint64_t network = 0;      // what counts as one client
    types::session::Nonce nonce{};  // fresh, unpredictable
};

// One message as the transport has delimited it.
struct Received {
    SessionId session{};
    ByteView message;
};

// What the client sent is no message.
struct Broken {
    SessionId session{};
};

// The transport has more to send than it wants to hold, or has room again.
struct Backlog {
    SessionId session{};
    bool is_full = false;
};

// Of the blocks of this session that were to be sent, so many bytes never left this node: its
// transport had not passed them on to TLS or the system.
struct Closed {
    SessionId session{};
    std::uint64_t unsent_bytes = 0;
};

struct StandingRead {
    SessionId session{};
    Result<interfaces::LaneStanding> standing;
};

struct AckJudged {
    SessionId session{};
    std::uint64_t cumulative = 0;
    Result<interfaces::LaneStanding> standing;
};

struct ContentOpened {
    SessionId session{};
    std::uint64_t id = 0;
    Result<types::ContentInfo> info;
};

struct TreeRead {
    SessionId session{};
    std::uint64_t id = 0;
    Result<std::vector<blake3_tree::Hash>> nodes;
};

struct EntriesRead {
    SessionId session{};
    std::uint64_t id = 0;
    Result<std::vector<types::DirectoryEntry>> entries;
};

struct BlockRead {
    SessionId session{};
    std::uint64_t id = 0;
    std::uint64_t index = 0;
    Result<Bytes> bytes;
};

// next_alarm() has come.
struct Alarm {};

using Event = std::variant<Accepted,
                           Received,
                           Broken,
                           Backlog,
                           Closed,
                           StandingRead,
                           AckJudged,
                           ContentOpened,
                           TreeRead,
                           EntriesRead,
                           BlockRead,
                           Alarm>;

// ---- what is to be done, in this order

struct Send {
    SessionId session{};
    types::session::NodeMessage message;  // any but a Block
};

struct SendBlock {
    SessionId session{};
    std::uint64_t id = 0;
    std::uint64_t index = 0;
    Bytes bytes;
};

// After what is queued. The driver answers with Closed, sooner or later.
struct Close {
    SessionId session{};
};

// At once, dropping what is queued; otherwise as Close.
struct Reset {
    SessionId session{};
};

// Each of these is answered once, by the event of the same thing.
struct ReadStanding {
    SessionId session{};
    types::LaneKey lane{};
};

struct JudgeAck {
    SessionId session{};
    types::SignedDeliveryAck ack{};
};

struct OpenContent {
    SessionId session{};
    std::uint64_t id = 0;
    types::ContentHash hash{};
    interfaces::Asker asker{};  // a payer by its address, a stranger by its network
};

// At most kTreePieceNodesMax nodes from `first` on, resp. kEntriesPieceMax entries.
struct ReadTree {
    SessionId session{};
    std::uint64_t id = 0;
    std::uint64_t first = 0;
};

struct ReadEntries {
    SessionId session{};
    std::uint64_t id = 0;
    std::uint64_t first = 0;
};

struct ReadBlock {
    SessionId session{};
    std::uint64_t id = 0;
    std::uint64_t index = 0;
};

// The content of this request is not read any more; reads under way are answered all the same.
struct DropContent {
    SessionId session{};
    std::uint64_t id = 0;
};

using Effect = std::variant<Send,
                            SendBlock,
                            Close,
                            Reset,
                            ReadStanding,
                            JudgeAck,
                            OpenContent,
                            ReadTree,
                            ReadEntries,
                            ReadBlock,
                            DropContent>;
using Effects = std::vector<Effect>;

struct CoreOptions {
    types::ChainId chain{};
    types::NodeKey node{};
    SessionLimits limits{};
};

// Not thread-safe. Foreign input never asserts. A step costs O(log sessions), apart from a
// session's own requests (at most kRequestsMax) and the sessions of one lane.
class Core {
public:
    explicit Core(const CoreOptions& options);

    // `now` never goes back. Events of sessions that are over are ignored.
    void step(Event event, Instant now, Effects& effects);

    // When step(Alarm) is due, if nothing happens before.
    std::optional<Instant> next_alarm() const;

    SessionCounters counters() const;

    const LaneBook& lanes() const { return lanes_; }

private:
    enum class Phase : std::uint8_t { Hello, Proof, Standing, Ready, Ending };

    struct Range {
        std::uint64_t next = 0;
        std::uint64_t end = 0;
    };

    struct Request {
        types::ContentHash hash{};
        std::optional<types::ContentInfo> info{};  // once it is open
        bool with_tree = false;
        bool is_opening = false;
        bool is_reading_piece = false;
        std::uint64_t pieces_next = 0;  // node or entry
        std::uint64_t pieces_end = 0;
        std::deque<Range> ranges{};
    };

    struct Session {
        SessionId id{};
        Phase phase = Phase::Hello;
        std::uint64_t network = 0;
        types::session::Nonce nonce{};
        std::optional<types::session::LaneClaim> claim{};
        types::SessionSignature proof{};
        std::optional<LaneId> lane{};  // welcomed with it
        bool is_free = false;          // welcomed, or to be, without one
        std::map<std::uint64_t, Request> requests{};
        std::uint64_t id_last = 0;    // greatest that was opened
        std::uint64_t id_served = 0;  // got the last turn
        // Blocks being read, with what is reserved for each.
        std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> reads{};
        std::optional<types::session::PauseReason> paused{};  // as the client was told
        std::optional<types::SignedDeliveryAck> ack_waiting{};
        bool is_ack_judged = false;     // one is being judged
        bool is_standing_read = false;  // one is being read
        unsigned acks_refused = 0;
        bool is_full = false;
        Instant full_since{};
        Instant heard_at{};  // the client said something, or its transport had room again
        Instant active_at{};
        std::optional<Instant> retry_at{};
        Instant alarm{};  // as in alarms_
    };

    void on(Accepted& event);
    void on(Received& event);
    void on(Broken& event);
    void on(Backlog& event);
    void on(Closed& event);
    void on(StandingRead& event);
    void on(AckJudged& event);
    void on(ContentOpened& event);
    void on(TreeRead& event);
    void on(EntriesRead& event);
    void on(BlockRead& event);
    void on(Alarm& event);

    void take(Session& session, const types::session::Hello& hello);
    void take(Session& session, const types::session::Proof& proof);
    void take(Session& session, const types::session::Open& open);
    void take(Session& session, const types::session::Blocks& blocks);
    void take(Session& session, const types::session::Cancel& cancel);
    void take(Session& session, const types::session::Ack& ack);

    void welcome(Session& session, const interfaces::LaneStanding& standing);
    void welcome_free(Session& session);
    // Whether the lane may have one session more.
    bool make_place(const LaneId& lane);
    bool is_silent(const Session& session) const;
    void judge(Session& session, const types::SignedDeliveryAck& ack);
    void ring(Session& session);

    // The piece of a head that was read, or why not.
    template <class Piece, class Items>
    void send_piece(Session& session, std::uint64_t id, Result<Items>& items);

    void pump(Session& session);
    void pump_lane(const LaneId& lane);
    // True if something was begun for the request.
    bool serve(Session& session, std::uint64_t id, Request& request);
    bool serve_block(Session& session, std::uint64_t id, Request& request);
    bool may_read_block(Session& session, std::uint64_t bytes);
    bool take_unpaid(Session& session, std::uint64_t bytes);
    void charge_unpaid(const Session& session, std::uint64_t bytes);
    void reset_stuck(const Session& waiting);
    void retry_after(Session& session, Duration delay);
    void pause(Session& session, types::session::PauseReason reason);
    void end_request(Session& session, std::uint64_t id, const Result<>& outcome);
    Request* find(Session& session, std::uint64_t id);

    // Tells nobody.
    void reset(Session& session);
    // Tells the client why, and closes.
    void end(Session& session, Errc code, std::string why);
    void violation(Session& session, std::string why);
    void leave_requests(Session& session);
    void send(const Session& session, types::session::NodeMessage message);

    Session* find(SessionId id);
    void arm(Session& session);
    types::session::Standing standing_of(const LaneId& lane,
                                         const interfaces::LaneStanding& standing) const;
    types::LaneKey lane_key(const types::session::LaneClaim& claim) const;

    const CoreOptions options_;
    LaneBook lanes_;
    ByteBuckets<std::uint64_t> network_buckets_;
    ByteBuckets<LaneId> lane_buckets_;
    std::map<SessionId, Session> sessions_;
    std::map<std::uint64_t, std::size_t> network_sessions_;
    std::map<std::uint64_t, std::size_t> network_free_;
    std::size_t free_count_ = 0;  // of all networks
    std::map<LaneId, std::set<SessionId>> lane_sessions_;
    std::set<std::pair<Instant, SessionId>> alarms_;
    SessionCounters counters_;
    // Of the step under way.
    Instant now_{};
    Effects* effects_ = nullptr;
};

// The version that a first message names, if it looks like a hello of any version.
std::optional<std::uint16_t> hello_version(ByteView message);

// How many bytes a block of the file has.
std::uint64_t block_bytes(const types::ContentInfo& info, std::uint64_t index);

}  // namespace draco::handshake
