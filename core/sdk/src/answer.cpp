#include "draco/sdk/answer.hpp"

#include <utility>

namespace draco::sdk {

Piece share(std::string text) {
    const auto owner = std::make_shared<const std::string>(std::move(text));
    return {.owner = owner, .bytes = as_bytes(*owner)};
}

Answer text_answer(unsigned status, std::string text) {
    text += '\n';
    return {.status = status,
            .fields = {{.name = "Content-Type", .value = "text/plain; charset=utf-8"},
                       {.name = "Cache-Control", .value = "no-store"}},
            .body = share(std::move(text))};
}

std::string printable(std::string_view text) {
    std::string shown(text);
    for (char& c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = '?';
    }
    return shown;
}

}  // namespace draco::sdk
