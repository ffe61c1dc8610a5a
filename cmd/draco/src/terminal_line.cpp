#include "terminal_line.hpp"

#include "shown_text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace draco {
namespace {

constexpr std::size_t kColumnsUnknown = 80;
constexpr std::size_t kColumnsMin = 10;
constexpr std::size_t kBarCellsMin = 8;
constexpr std::size_t kBarCellsMax = 28;
constexpr std::size_t kLabelColumnsMin = 12;
constexpr std::string_view kGap = "  ";
constexpr std::string_view kEllipsis = "…";

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
