#pragma once
// One connection of the engine: a state machine over a Transport, without clock, lock or thread.
// The thread that owns it notes what happened and then calls work(), which does all that can be
// done now.

#include "draco/http/engine.hpp"
#include "draco/http/parser.hpp"

#include "connection_host.hpp"
#include "deadlines.hpp"
#include "gone_notice.hpp"
#include "outgoing.hpp"
#include "piece_room.hpp"
#include "taking_rate.hpp"
#include "transport.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace draco::http {

class DeliveryConnection {
public:
    DeliveryConnection(ConnectionHost& host,
                       std::unique_ptr<Transport> transport,
                       const Peer& peer,
                       std::uint32_t slot,
                       std::uint64_t serial);
    // A handler that has a request is told that nobody waits for the answer.
    ~DeliveryConnection();
    DeliveryConnection(const DeliveryConnection&) = delete;
    DeliveryConnection& operator=(const DeliveryConnection&) = delete;

    std::uint32_t slot() const { return slot_; }

    std::uint64_t serial() const { return serial_; }

    const Peer& peer() const { return peer_; }

    // What happened. None of these acts.
    void note_readable(bool has_peer_ended);
    void note_writable();

    void note_lost() { phase_ = Phase::Over; }

    void watch(std::uint64_t number, std::shared_ptr<detail::GoneNotice> notice);
    void answered(std::uint64_t number, Answer answer);
    void delivered(std::uint64_t number, std::uint64_t piece, Result<SharedBytes> bytes);
    void expired(Wait what);
    // What is under way is the last.
    void drain();

    // All that can be done now. Then `wants_turn` says whether more could have been, but others are
    // to have their turn first.
    void work();

    bool wants_turn() const { return wants_turn_; }

    bool is_over() const { return phase_ == Phase::Over; }

    // The thread's own note that it will work(). False: it has that note already.
    bool note_queued() { return !std::exchange(is_queued_, true); }

    void note_begun() { is_queued_ = false; }

    void reset();

    // Tells the room how much the peer has taken by now.
    void note_taken();
    // Others have no room, and this peer is the slowest.
    void crowd_out();

private:
    enum class Phase : std::uint8_t {
        Reading,    // the next request, or nothing, is on its way in
        Handling,   // the handler has a request
        Sending,    // a body that does not fit the buffer is on its way out
        Lingering,  // all was said; what the peer still sends is discarded
        Over,
    };

    bool may_read_on() const;
    bool send();
    bool has_room_for(const Answer& answer);
    void pull_pieces();
    void give_back_room();
    std::uint64_t taken_bytes() const;
    void judge_peer();
    void after_send(const Outgoing::Progress& progress);
    void read();
    std::size_t take_bytes(ByteView bytes);
    bool take_ahead();
    void hand_on();
    void begin_answer();
    void tell_gone();
    void refuse(const ParseError& error);
    void queue_answer(const Answer& answer, std::uint64_t length);
    void queue_and_close(unsigned status, std::string_view text);
    void finish();
    void linger();
    void arm();
    void arm(Wait what, bool restart);

    ConnectionHost& host_;
    const std::unique_ptr<Transport> transport_;
    const std::uint64_t serial_;
    Timer timer_;
    RequestParser parser_;
    Bytes ahead_;  // read and not parsed
    std::size_t ahead_taken_ = 0;
    Outgoing outgoing_;
    PieceRoom::Place place_;
    TakingRate rate_;
    std::uint64_t sent_bytes_ = 0;  // to the system
    Instant in_line_since_{};
    std::uint64_t number_ = 0;  // of the request in work, or the last one
    std::uint64_t lingered_bytes_ = 0;
    const std::uint32_t slot_;
    const Peer peer_;
    Phase phase_ = Phase::Reading;
    bool is_queued_ = false;
    bool was_behind_ = false;
    bool is_readable_ = false;
    bool is_writable_ = true;
    bool may_have_ended_ = false;  // the system says that the peer has
    bool has_peer_ended_ = false;  // and all it sent was read
    bool is_last_ = false;
    bool is_refused_ = false;
    bool is_blocked_ = false;  // by the peer, which does not take what is sent
    bool has_progress_ = false;
    bool told_to_continue_ = false;
    bool wants_turn_ = false;
    // Of the request in work.
    std::shared_ptr<detail::GoneNotice> notice_;  // or nothing
    bool is_unanswered_ = false;
    bool has_begun_answer_ = false;  // kHeadBegin is sent, or about to be
    bool is_head_ = false;
    bool keeps_alive_ = true;
    bool is_http_1_0_ = false;
};

}  // namespace draco::http
