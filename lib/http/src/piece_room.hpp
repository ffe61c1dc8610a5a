#pragma once
// The room for bodies in memory that a thread's connections share, and whose turn it is.

#include "draco/base/clock.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace draco::http {

class DeliveryConnection;

// A connection that holds nothing asks for its first piece: if there is no room, or others wait, it
// waits in line and is admitted when its turn comes. One that holds something gets more only while
// nobody waits, and never the last quarter of the room, so a newcomer seldom waits for those who
// read ahead. A connection that has sent what it had gives the room back and stands in line again.
//
// When those in line wait too long, somebody has to go: of the readers that are behind and have not
// taken kStepBytes for some time, the one that has taken least since, for the time it had.
//
// Deterministic; O(log connections) for each call but slow() and slowest(). Not thread-safe.
class PieceRoom {
public:
    // What one connection holds. Gives it back when it goes.
    class Place {
    public:
        Place(PieceRoom& room, DeliveryConnection* connection)
            : room_(room), connection_(connection) {}

        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        ~Place() { room_.leave(*this); }

        std::uint64_t bytes() const { return bytes_; }

        bool is_in_line() const { return ticket_ != 0; }

        DeliveryConnection& connection() const { return *connection_; }

    private:
        friend class PieceRoom;

        PieceRoom& room_;
        DeliveryConnection* connection_;
        std::uint64_t bytes_ = 0;
        std::uint64_t kept_ = 0;    // admitted with it, and not taken yet
        std::uint64_t wanted_ = 0;  // in line
        std::uint64_t ticket_ = 0;  // in line
        std::uint64_t rank_ = 0;    // among those that are behind
        std::uint64_t taken_ = 0;
        Instant step_at_{};
        std::uint64_t step_taken_ = 0;
    };

    static constexpr std::uint64_t kStepBytes = std::uint64_t{64} << 10;

    // `slow_after`: without kStepBytes taken for so long, a reader may have to go. A single piece
    // is held also where it is larger than the room.
    PieceRoom(std::uint64_t bytes_max, Duration slow_after)
        : bytes_max_(bytes_max), slow_after_(slow_after) {}

    // Room for `bytes` more. False: not now; a place that holds nothing is in line then.
    bool take(Place& place, std::uint64_t bytes);
    // The same, without standing in line. Precondition: the place holds nothing and does not wait.
    bool take_at_once(Place& place, std::uint64_t bytes);
    // Of what it holds.
    void give_back(Place& place, std::uint64_t bytes);
    // The first in line if there is room for it, which is kept until it takes it; else null.
    Place* admit();

    // Whether the reader is behind, and how many bytes it has taken in all.
    void note(Place& place, bool is_behind, std::uint64_t taken, Instant now);
    // Of those that hold something, the slow ones; who was so first comes first.
    std::vector<Place*> slow(Instant now) const;
    // Null if nobody is slow.
    Place* slowest(Instant now) const;

    std::uint64_t bytes() const { return bytes_; }

private:
    bool has_room(std::uint64_t bytes, std::uint64_t bytes_max) const;
    void forget_rank(Place& place);
    void leave(Place& place);

    const std::uint64_t bytes_max_;
    const Duration slow_after_;
    std::uint64_t bytes_ = 0;  // held, and kept for who was admitted
    std::uint64_t next_ticket_ = 1;
    std::map<std::uint64_t, Place*> line_;    // by ticket
    std::map<std::uint64_t, Place*> behind_;  // by rank, which is the order of step_at_
};

}  // namespace draco::http
