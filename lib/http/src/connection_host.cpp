#include "connection_host.hpp"

#include "answer_head.hpp"
#include "delivery_connection.hpp"

#include <algorithm>
#include <utility>

namespace draco::http {
namespace {

constexpr auto kLinger = std::chrono::seconds(2);
constexpr auto kRoomPatience = std::chrono::seconds(2);  // of who waits, and with slow readers
constexpr int kJudgementsPerStall = 4;

}  // namespace

ConnectionHost::ConnectionHost(EngineHandler& handler,
                               const EngineOptions& options,
                               std::shared_ptr<detail::Inbox> inbox)
    : handler_(handler),
      options_(options),
      inbox_(std::move(inbox)),
      deadlines_({options.keep_alive,
                  options.request_deadline,
                  std::max<Duration>(options.stall_deadline / kJudgementsPerStall,
                                     std::chrono::milliseconds(1)),
                  options.answer_deadline,
                  kRoomPatience,
                  kLinger}),
      room_(options.body_bytes_max / std::max<std::size_t>(options.thread_count, 1),
            kRoomPatience) {}

// What was seen of the readers when the system last took something for them may be old.
void ConnectionHost::make_room() {
    if (std::exchange(room_looked_at_, now_) != now_)
        for (const PieceRoom::Place* const place : room_.slow(now_))
            place->connection().note_taken();
    PieceRoom::Place* const slowest = room_.slowest(now_);
    if (slowest == nullptr) return;
    DeliveryConnection& connection = slowest->connection();
    room_.note(*slowest, false, 0, now_);  // goes once
    connection.crowd_out();
    enqueue(connection);
}

void ConnectionHost::set_time(Instant now, UnixTime date) {
    now_ = now;
    const std::uint64_t date_s = date.ms / 1000;
    if (std::exchange(date_s_, date_s) != date_s) date_line_ = http::date_line(date);
}

}  // namespace draco::http
