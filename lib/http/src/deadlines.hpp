#pragma once
// The deadlines of a thread's connections. Each connection waits for one thing at a time, and all
// that wait for the same thing wait equally long: a list for each, in the order of their times,
// with no cost but a few pointers to arm and disarm.

#include "draco/base/clock.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace draco::http {

class DeliveryConnection;

enum class Wait : std::uint8_t { KeepAlive, Request, Stall, Answer, Room, Linger };

inline constexpr std::size_t kWaits = 6;

// Belongs to `connection`. Disarms itself.
class Timer {
public:
    explicit Timer(DeliveryConnection* connection) : connection_(connection) {}

    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    ~Timer() { disarm(); }

    bool is_armed() const { return next_ != this; }

    bool waits_for(Wait what) const { return is_armed() && what_ == what; }

    Wait what() const { return what_; }

    DeliveryConnection& connection() const { return *connection_; }

    void disarm();

private:
    friend class Deadlines;

    void insert_before(Timer& other);

    DeliveryConnection* connection_;
    Timer* previous_ = this;
    Timer* next_ = this;
    Instant at_{};
    Wait what_ = Wait::KeepAlive;
};

class Deadlines {
public:
    explicit Deadlines(const std::array<Duration, kWaits>& durations) : durations_(durations) {}

    // `now` never goes back.
    void arm(Timer& timer, Wait what, Instant now);
    std::optional<Instant> earliest() const;
    // Disarmed; null if none is due.
    Timer* take_due(Instant now);

private:
    const std::array<Duration, kWaits> durations_;
    std::array<Timer, kWaits> lists_{Timer(nullptr),
                                     Timer(nullptr),
                                     Timer(nullptr),
                                     Timer(nullptr),
                                     Timer(nullptr),
                                     Timer(nullptr)};
};

}  // namespace draco::http
