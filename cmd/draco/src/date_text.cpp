#include "date_text.hpp"

#include <array>
#include <ctime>

namespace draco {

std::string date_text(std::uint64_t unix_ms) {
    const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
    std::tm parts{};
    std::array<char, 64> text{};
    if (::gmtime_r(&seconds, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts) == 0)
        return std::to_string(unix_ms) + " ms";
    return text.data();
}

}  // namespace draco
