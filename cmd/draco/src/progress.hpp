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
    enum class Unit : std::uint8_t { Bytes, Transactions, VirtualTime, Seeds };  // time in ms

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
    // What was done before: it is no part of the rate.
    void skip(std::uint64_t count);
    // Stands behind the bar. Before the first advance().
    void note(std::string_view text);

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
    std::uint64_t skipped_ = 0;
    std::string note_;
    Instant next_draw_;
    bool drawn_ = false;
};

// Lines on standard error every few seconds, where there is no terminal for a bar, so that minutes
// are not silent. One thread.
class ProgressLines {
public:
    // `clock` outlives this. Silent unless `is_on`.
    ProgressLines(const Clock& clock, std::string_view label, bool is_on);

    // `what` is worked on now.
    void advance(std::uint64_t bytes, std::string_view what);
    // Stands behind the first line.
    void note(std::string_view text);

private:
    const Clock& clock_;
    std::string label_;
    bool is_on_;
    Instant started_;
    Instant next_line_;
    std::uint64_t bytes_ = 0;
    std::string note_;
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
