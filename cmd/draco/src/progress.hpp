#pragma once
// A progress bar on standard error for work that takes long: bar, rate, time left. Silent unless
// standard error is a terminal and the work has taken half a second. Fits the width of the window.

#include "draco/base/clock.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace draco {

class Progress {
public:
    enum class Unit : std::uint8_t { Bytes, Transactions, VirtualTime };  // in ms

    // `clock` outlives this. A total of 0 is not known.
    Progress(const Clock& clock,
             std::string_view label,
             std::uint64_t total,
             Unit unit = Unit::Bytes);
    ~Progress();  // clears the line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // From any thread.
    void advance(std::uint64_t count);

private:
    void draw(Instant now);
    std::string amount(double count) const;
    std::string pace(double per_second) const;

    const Clock& clock_;
    std::string label_;
    std::uint64_t total_;
    Unit unit_;
    Instant started_;
    bool on_terminal_;
    std::mutex mutex_;  // guards what follows
    std::uint64_t done_ = 0;
    Instant next_draw_;
    bool drawn_ = false;
};

// One line on standard error for what is waited for, written over by the next and cleared at the
// end. Silent unless standard error is a terminal.
class StatusLine {
public:
    StatusLine();
    ~StatusLine();
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    bool is_seen() const { return on_terminal_; }

    void show(const std::string& text);

private:
    bool on_terminal_;
    bool drawn_ = false;
};

// "1.4 GB": three significant digits, powers of 1000.
std::string human_bytes(double bytes);

}  // namespace draco
