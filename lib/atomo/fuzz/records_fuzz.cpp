// The schema and state records: bytes of a database that may be damaged. They decode to something
// that encodes to the same bytes, or are refused.

#include "draco/base/assert.hpp"

#include "../src/layout.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const draco::ByteView bytes(data, size);
    if (const auto schema = draco::atomo::decode_schema(bytes))
        DRACO_ASSERT(draco::equal(draco::atomo::encode_schema(*schema), bytes), "one encoding");
    if (const auto state = draco::atomo::decode_state(bytes))
        DRACO_ASSERT(draco::equal(draco::atomo::encode_state(*state), bytes), "one encoding");
    return 0;
}
