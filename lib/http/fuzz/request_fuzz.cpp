// How bytes are split changes nothing of what the request parser makes of them, and what it makes
// keeps the bounds.

#include "draco/base/assert.hpp"
#include "draco/http/parser.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace draco;  // NOLINT(google-build-using-namespace)

constexpr http::ParseLimits kLimits{.start_line_bytes_max = 64,
                                    .fields_bytes_max = 256,
                                    .fields_max = 8,
                                    .body_bytes_max = 64,
                                    .chunk_line_bytes_max = 16};

struct Outcome {
    std::vector<http::Request> requests;
    unsigned refused = 0;
    bool begun = false;

    bool operator==(const Outcome&) const = default;
};

Outcome read(ByteView input, std::size_t step) {
    http::RequestParser parser(kLimits);
    Outcome outcome;
    while (!input.empty()) {
        const ByteView piece = input.first(std::min(step, input.size()));
        const auto taken = parser.feed(piece);
        if (!taken) {
            outcome.refused = taken.error().status;
            return outcome;
        }
        DRACO_ASSERT(*taken <= piece.size(), "no more is taken than was given");
        input = input.subspan(*taken);
        DRACO_ASSERT(parser.is_complete() || *taken == piece.size(), "an incomplete one takes all");
        if (parser.is_complete()) outcome.requests.push_back(parser.take());
    }
    outcome.begun = parser.has_begun();
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView input(data + 1, size - 1);
    const Outcome whole = read(input, std::max<std::size_t>(input.size(), 1));
    DRACO_ASSERT(read(input, 1) == whole, "single bytes give the same");
    DRACO_ASSERT(read(input, std::size_t{data[0]} + 1) == whole, "pieces give the same");
    for (const http::Request& request : whole.requests) {
        DRACO_ASSERT(request.body.size() <= kLimits.body_bytes_max, "the body keeps its bound");
        DRACO_ASSERT(request.fields.list.size() <= kLimits.fields_max, "so do the fields");
        DRACO_ASSERT(std::ranges::all_of(request.fields.list, http::is_well_formed),
                     "fields are well formed");
        (void)http::parse_target(request.target);
    }
    return 0;
}
