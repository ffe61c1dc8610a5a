// Foreign bytes as requests and as the answer to a request for blocks, in chunks of any size:
// nothing uncertified comes out. The first byte picks the size of the chunks.

#include "draco/base/assert.hpp"
#include "draco/sync/range_check.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    using namespace draco::sync;
    if (size < 1) return 0;
    const std::size_t chunk_bytes = std::size_t{1} + data[0];
    const ByteView input(data + 1, size - 1);
    if (const auto request = decode_request(input))
        DRACO_ASSERT(equal(bcs::encode(*request), input), "one encoding per request");
    static const types::Committee committee =
        types::Committee::make(types::Epoch(0), {types::NodeKey{}}).value();
    RangeCheck raw(types::ChainId(1), committee, Base{}, 4, 1U << 20U);
    RangeCheck framed(types::ChainId(1), committee, Base{}, 4, 1U << 20U);
    Bytes records;
    append_record(records, bcs::encode(Status{}));
    append_record(records, input);
    static_cast<void>(framed.add(records));
    for (ByteView rest = input; !rest.empty();) {
        const ByteView chunk = rest.first(std::min(rest.size(), chunk_bytes));
        rest = rest.subspan(chunk.size());
        if (!raw.add(chunk)) break;
    }
    static_cast<void>(raw.finish());
    DRACO_ASSERT(raw.certified().empty() && framed.certified().empty(),
                 "nobody can sign for the committee");
    return 0;
}
