// Any text either fails with an error or decodes to bytes that encode to the same text (hex: up to
// case).

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <cctype>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (const auto bytes = from_hex(text)) {
        std::string lower = text;
        std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        DRACO_ASSERT(to_hex(*bytes) == lower, "hex is canonical up to case");
    }
    if (const auto bytes = from_base58(text))
        DRACO_ASSERT(to_base58(*bytes) == text, "base58 is canonical");
    if (const auto bytes = from_base64url(text))
        DRACO_ASSERT(to_base64url(*bytes) == text, "base64url is canonical");
    return 0;
}
