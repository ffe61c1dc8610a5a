// Bytes that decode are the encoding of what they decode to; the rest gives an error whose offset
// lies in the input.

#include "draco/base/assert.hpp"
#include "draco/bcs/bcs.hpp"

#include "rich_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace bcs = draco::bcs;
    const draco::ByteView input(data, size);
    const auto message = bcs::decode<bcs::testing::RichMessage>(input);
    if (message) {
        DRACO_ASSERT(draco::equal(bcs::encode(*message), input), "one value has one encoding");
        DRACO_ASSERT(bcs::encoded_size(*message) == size, "sizes are exact");
    } else {
        DRACO_ASSERT(message.error().offset <= size, "a fault lies in the input");
        DRACO_ASSERT(message.error().path.starts_with("RichMessage"), "a fault has a path");
        DRACO_ASSERT(!to_string(message.error()).empty(), "a fault can be told");
    }
    return 0;
}
