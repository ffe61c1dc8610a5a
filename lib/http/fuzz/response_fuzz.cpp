// How bytes are split changes nothing of what the response parser makes of them, and what it makes
// keeps the bounds.

#include "draco/base/assert.hpp"
#include "draco/http/parser.hpp"

#include <algorithm>
#include <optional>

namespace {

using namespace draco;  // NOLINT(google-build-using-namespace)

constexpr http::ParseLimits kLimits{.start_line_bytes_max = 64,
                                    .fields_bytes_max = 256,
                                    .fields_max = 8,
                                    .body_bytes_max = 64,
                                    .chunk_line_bytes_max = 16};

struct Outcome {
    std::optional<http::Response> response;
    std::size_t rest = 0;
    unsigned refused = 0;

    bool operator==(const Outcome&) const = default;
};

Outcome read(ByteView input, std::size_t step, bool head_only) {
    http::ResponseParser parser(kLimits, head_only);
    while (!input.empty() && !parser.is_complete()) {
        const ByteView piece = input.first(std::min(step, input.size()));
        const auto taken = parser.feed(piece);
        if (!taken) return {.response = {}, .rest = 0, .refused = taken.error().status};
        DRACO_ASSERT(parser.is_complete() || *taken == piece.size(), "an incomplete one takes all");
        input = input.subspan(*taken);
    }
    if (!parser.end()) return {};
    return {.response = parser.take(), .rest = input.size(), .refused = 0};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView input(data + 1, size - 1);
    const bool head_only = (data[0] & 1U) != 0;
    const Outcome whole = read(input, std::max<std::size_t>(input.size(), 1), head_only);
    DRACO_ASSERT(read(input, 1, head_only) == whole, "single bytes give the same");
    DRACO_ASSERT(read(input, std::size_t{data[0]} + 1, head_only) == whole, "pieces give the same");
    if (whole.response)
        DRACO_ASSERT(whole.response->body.size() <= kLimits.body_bytes_max,
                     "a body keeps its bound");
    return 0;
}
