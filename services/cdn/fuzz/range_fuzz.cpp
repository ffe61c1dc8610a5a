// Whatever Range and the conditional fields say, the ranges are disjoint, in bounds and few.

#include "draco/base/assert.hpp"
#include "draco/base/bytes.hpp"

#include "../src/byte_ranges.hpp"
#include "../src/conditions.hpp"

#include <cstdint>
#include <string>

namespace {

using namespace draco;       // NOLINT(google-build-using-namespace)
using namespace draco::cdn;  // NOLINT(google-build-using-namespace)

void check(std::string_view field, std::uint64_t bytes) {
    const RangeSelection selection = select_ranges(field, bytes);
    const bool is_partial = selection.kind == RangeSelection::Kind::Partial;
    DRACO_ASSERT(is_partial != selection.ranges.empty(), "ranges if there are any");
    DRACO_ASSERT(selection.ranges.size() <= kRangesMax, "few");
    for (const ByteRange& a : selection.ranges) {
        DRACO_ASSERT(a.first <= a.last && a.last < bytes, "in bounds");
        for (const ByteRange& b : selection.ranges)
            DRACO_ASSERT(&a == &b || a.last < b.first || b.last < a.first, "disjoint");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 8) return 0;
    const std::uint64_t bytes = load_le<std::uint64_t>(data) >> (data[0] % 64U);
    const std::string text(as_text({data + 8, size - 8}));
    check(text, bytes);
    check("bytes=" + text, bytes);
    http::Fields fields;
    fields.add("If-Match", text);
    fields.add("If-None-Match", text);
    fields.add("Range", text);
    fields.add("If-Range", text);
    static_cast<void>(evaluate_conditions(fields, "\"tag\""));
    static_cast<void>(may_send_ranges(fields, "\"tag\""));
    return 0;
}
