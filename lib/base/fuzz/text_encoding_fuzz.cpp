// Any text either fails with an error or decodes to bytes that encode to the same text (hex: up to
// case).

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace {

std::string lower_case(std::string text) {
    std::ranges::transform(
        text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(draco::as_text({data, size}));
    if (const auto bytes = draco::from_hex(text))
        DRACO_ASSERT(draco::to_hex(*bytes) == lower_case(text), "hex is canonical up to case");
    if (const auto bytes = draco::from_base58(text))
        DRACO_ASSERT(draco::to_base58(*bytes) == text, "base58 is canonical");
    if (const auto bytes = draco::from_base64url(text))
        DRACO_ASSERT(draco::to_base64url(*bytes) == text, "base64url is canonical");
    return 0;
}
