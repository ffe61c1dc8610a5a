#pragma once
// What the connections of one thread share: the handler, the time, deadlines, room for bodies.

#include "draco/http/engine.hpp"

#include "deadlines.hpp"
#include "inbox.hpp"
#include "piece_room.hpp"
#include "thread_counters.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace draco::http {

class DeliveryConnection;

// What a connection needs of its thread.
class ConnectionHost {
public:
    ConnectionHost(EngineHandler& handler,
                   const EngineOptions& options,
                   std::shared_ptr<detail::Inbox> inbox);
    virtual ~ConnectionHost() = default;

    // Applies what was said on this thread since the last time: answered() and delivered() of any
    // connection.
    virtual void settle() = 0;
    // Has the connection worked on, soon.
    virtual void enqueue(DeliveryConnection& connection) = 0;

    // Somebody has waited long for room: the slowest reader has to go, if anybody is slow.
    void make_room();

    EngineHandler& handler() const { return handler_; }

    const EngineOptions& options() const { return options_; }

    const std::shared_ptr<detail::Inbox>& shared_inbox() const { return inbox_; }

    detail::Inbox& inbox() const { return *inbox_; }

    Instant now() const { return now_; }

    std::string_view date_line() const { return date_line_; }

    MutByteView scratch() { return scratch_; }

    Deadlines& deadlines() { return deadlines_; }

    const Deadlines& deadlines() const { return deadlines_; }

    PieceRoom& room() { return room_; }

    ThreadCounters& counters() { return counters_; }

protected:
    void set_time(Instant now, UnixTime date);

    ThreadCounters counters_;

private:
    static constexpr std::size_t kReadBytes = 16 << 10;

    EngineHandler& handler_;
    const EngineOptions& options_;
    std::shared_ptr<detail::Inbox> inbox_;
    Deadlines deadlines_;
    PieceRoom room_;
    std::optional<Instant> room_looked_at_;
    Instant now_{};
    std::uint64_t date_s_ = ~std::uint64_t{0};
    std::string date_line_;
    std::array<std::uint8_t, kReadBytes> scratch_{};
};

}  // namespace draco::http
