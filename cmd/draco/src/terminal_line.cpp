#include "terminal_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace draco {
namespace {

constexpr std::size_t kColumnsUnknown = 80;
constexpr std::size_t kColumnsMin = 10;
constexpr std::size_t kBarCellsMin = 8;
constexpr std::size_t kBarCellsMax = 28;
constexpr std::size_t kLabelColumnsMin = 12;
constexpr std::string_view kGap = "  ";
constexpr std::string_view kEllipsis = "…";

struct Range {
    char32_t first;
    char32_t last;
};

// The blocks of Unicode's East_Asian_Width W and F, without the few narrow ones between them.
constexpr std::array<Range, 8> kWide = {{{0x1100, 0x115F},
                                         {0x2E80, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0x1F300, 0x1FAFF},
                                         {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 4> kJoining = {
    {{0x300, 0x36F}, {0x200C, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <std::size_t Count>
bool is_in(const std::array<Range, Count>& ranges, char32_t point) {
    return std::ranges::any_of(ranges, [point](const Range& range) {
        return point >= range.first && point <= range.last;
    });
}

std::size_t columns_of_point(char32_t point) {
    if (is_in(kJoining, point)) return 0;
    return is_in(kWide, point) ? 2 : 1;
}

struct Character {
    std::size_t bytes;
    std::size_t columns;
};

Character first_character(std::string_view text) {
    const auto lead = static_cast<std::uint8_t>(text.front());
    const std::size_t claimed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    const std::size_t bytes = std::min(claimed, text.size());
    char32_t point = bytes == 1 ? lead : lead & (0x7FU >> bytes);
    for (const char c : text.substr(1, bytes - 1))
        point = point << 6U | (static_cast<std::uint8_t>(c) & 0x3FU);
    return {.bytes = bytes, .columns = columns_of_point(point)};
}

std::size_t bytes_of_columns(std::string_view text, std::size_t columns) {
    std::size_t bytes = 0;
    while (bytes < text.size()) {
        const Character next = first_character(text.substr(bytes));
        if (next.columns > columns) break;
        columns -= next.columns;
        bytes += next.bytes;
    }
    return bytes;
}

std::string bar_of(double share, std::size_t cells) {
    const auto full =
        static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(cells));
    return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]";
}

}  // namespace

std::size_t line_columns() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < kColumnsMin)
        return kColumnsUnknown - 1;
    return size.ws_col - std::size_t{1};
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character next = first_character(text);
        columns += next.columns;
        text.remove_prefix(next.bytes);
    }
    return columns;
}

std::string shortened(std::string_view text, std::size_t columns) {
    const std::size_t whole = columns_of(text);
    if (whole <= columns) return std::string(text);
    if (columns == 0) return {};
    const std::size_t kept = columns - 1;
    const std::size_t head = bytes_of_columns(text, kept / 2);
    // Whole characters are skipped until what follows fits.
    std::size_t tail = head;
    while (columns_of(text.substr(tail)) > kept - kept / 2)
        tail += first_character(text.substr(tail)).bytes;
    return std::string(text.substr(0, head)) + std::string(kEllipsis) +
           std::string(text.substr(tail));
}

std::string progress_line(std::string_view label,
                          std::optional<double> share,
                          std::string_view tail,
                          std::size_t columns) {
    const std::size_t wanted = columns_of(label);
    const std::size_t fixed = columns_of(tail) + kGap.size();
    const std::size_t frame = 2 + kGap.size();
    const std::size_t least = std::min(wanted, kLabelColumnsMin);
    if (!share || fixed + frame + kBarCellsMin + least > columns) {
        const std::size_t room = columns > fixed + least ? columns - fixed : least;
        return shortened(shortened(label, room) + std::string(kGap) + std::string(tail), columns);
    }
    const std::size_t room = columns - fixed - frame;
    const std::size_t cells =
        std::clamp(room > wanted ? room - wanted : 0, kBarCellsMin, kBarCellsMax);
    return shortened(label, room - cells) + std::string(kGap) + bar_of(*share, cells) +
           std::string(kGap) + std::string(tail);
}

}  // namespace draco
