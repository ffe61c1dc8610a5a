// Whatever a target is, its segments are names, and naming them again gives the same.

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "../src/content_path.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace draco;  // NOLINT(google-build-using-namespace)

void check(std::string_view target) {
    const auto path = cdn::parse_content_path(target);
    if (!path) {
        DRACO_ASSERT(path.error().status >= 400 && path.error().status < 500, "a client's mistake");
        DRACO_ASSERT(std::ranges::none_of(path.error().text,
                                          [](char c) { return c >= 0 && (c < 0x20 || c == 0x7F); }),
                     "what is said is one line");
        return;
    }
    std::string again = "/blake3/" + to_hex(path->root.view());
    for (const std::string& segment : path->segments) {
        DRACO_ASSERT(!segment.empty() && segment != "." && segment != "..", "a name");
        DRACO_ASSERT(!segment.contains('/') && !segment.contains('\0'), "of one level");
        again += "/";
        for (const char c : segment)
            again += "%" + to_hex(ByteView(reinterpret_cast<const std::uint8_t*>(&c), 1));
    }
    if (path->has_slash_at_end) again += "/";
    DRACO_ASSERT(path->segments.size() <= cdn::kSegmentsMax, "the bound holds");
    const auto parsed = cdn::parse_content_path(again);
    DRACO_ASSERT(parsed && *parsed == *path, "encoded anew it is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(as_text({data, size}));
    check(text);
    check("/blake3/" + std::string(64, 'a') + text);
    return 0;
}
