// Foreign bytes as an archived block: refused, or one value with one encoding. Memory stays within
// a constant of the input: the decoder's bound.

#include "draco/base/assert.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/interfaces/ledger.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using draco::interfaces::ArchivedBlock;
    const draco::ByteView bytes(data, size);
    const auto decoded = draco::bcs::decode<ArchivedBlock>(bytes);
    if (decoded) DRACO_ASSERT(draco::equal(draco::bcs::encode(*decoded), bytes), "one encoding");
    return 0;
}
