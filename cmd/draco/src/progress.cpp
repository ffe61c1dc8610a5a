#include "progress.hpp"

#include "shown_text.hpp"
#include "terminal_line.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace draco {
namespace {

constexpr Duration kQuietFor = std::chrono::milliseconds(500);
constexpr Duration kRedrawEvery = std::chrono::milliseconds(100);
constexpr Duration kLineEvery = std::chrono::seconds(5);

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

std::string tenths(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

void write_over(const std::string& line) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
}

}  // namespace

std::string human_bytes(double bytes) {
    constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
    std::array<char, 32> text{};
    const int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    std::snprintf(text.data(), text.size(), "%.*f %s", decimals, bytes, kUnits[unit]);
    return text.data();
}

Progress::Progress(const Clock& clock, std::string_view label, std::uint64_t total, Unit unit)
    : clock_(clock),
      label_(shown(label)),
      total_(total),
      unit_(unit),
      started_(clock.now()),
      on_terminal_(::isatty(STDERR_FILENO) == 1),
      next_draw_(started_ + kQuietFor) {}

Progress::~Progress() {
    if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::advance(std::uint64_t count) {
    if (!on_terminal_) return;
    const std::scoped_lock lock(mutex_);
    done_ += count;
    const Instant now = clock_.now();
    if (now < next_draw_) return;
    next_draw_ = now + kRedrawEvery;
    draw(now);
}

void Progress::skip(std::uint64_t count) {
    const std::scoped_lock lock(mutex_);
    done_ += count;
    skipped_ += count;
}

void Progress::note(std::string_view text) {
    note_ = text.empty() ? "" : "  (" + std::string(text) + ")";
}

std::string Progress::amount(double count) const {
    if (unit_ == Unit::Bytes) return human_bytes(count);
    if (unit_ == Unit::VirtualTime) return tenths(count / 1000) + " s of virtual time";
    const std::string number = std::to_string(static_cast<std::uint64_t>(count));
    return number + (unit_ == Unit::Seeds ? " seeds" : " tx");
}

// Of virtual time how much is done says more than how much a second.
std::string Progress::pace(double per_second) const {
    if (unit_ == Unit::Seeds)
        return std::to_string(done_) + " of " + amount(static_cast<double>(total_));
    if (unit_ != Unit::VirtualTime) return amount(per_second) + "/s";
    return tenths(static_cast<double>(done_) / 1000) + " of " + amount(static_cast<double>(total_));
}

void Progress::draw(Instant now) {
    const double elapsed = std::max(seconds(now - started_), 1e-9);
    const double rate = static_cast<double>(done_ - skipped_) / elapsed;
    const std::string speed = pace(rate);
    drawn_ = true;
    if (total_ == 0)
        return write_over(progress_line(
            label_, {}, amount(static_cast<double>(done_)) + "  " + speed + note_, line_columns()));
    const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    const double left =
        static_cast<double>(total_ - std::min(done_, total_)) / std::max(rate, 1e-9);
    std::array<char, 64> percent{};
    std::array<char, 64> rest{};
    std::snprintf(percent.data(), percent.size(), "%3.0f %%  ", share * 100);
    std::snprintf(rest.data(), rest.size(), "  %.0f s left", left);
    write_over(
        progress_line(label_, share, percent.data() + speed + rest.data() + note_, line_columns()));
}

ProgressLines::ProgressLines(const Clock& clock, std::string_view label, bool is_on)
    : clock_(clock),
      label_(shown(label)),
      is_on_(is_on),
      started_(clock.now()),
      next_line_(started_ + kLineEvery) {}

void ProgressLines::note(std::string_view text) {
    note_ = text.empty() ? "" : " (" + std::string(text) + ")";
}

void ProgressLines::advance(std::uint64_t bytes, std::string_view what) {
    bytes_ += bytes;
    if (!is_on_) return;
    const Instant now = clock_.now();
    if (now < next_line_) return;
    next_line_ = now + kLineEvery;
    const double rate = static_cast<double>(bytes_) / seconds(now - started_);
    std::fprintf(stderr,
                 "%s: %s, %s/s%s; now %s\n",
                 label_.c_str(),
                 human_bytes(static_cast<double>(bytes_)).c_str(),
                 human_bytes(rate).c_str(),
                 note_.c_str(),
                 shown(what).c_str());
    note_.clear();
}

StatusLine::StatusLine() : on_terminal_(::isatty(STDERR_FILENO) == 1) {}

StatusLine::~StatusLine() {
    if (drawn_) std::fputs("\r\033[K", stderr);
}

void StatusLine::show(const std::string& text) {
    if (!on_terminal_) return;
    write_over(shortened(shown(text), line_columns()));
    drawn_ = true;
}

}  // namespace draco
