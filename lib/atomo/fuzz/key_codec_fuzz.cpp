// Decodes the input as keys of several types: never a crash, and what decodes encodes to the input.

#include "draco/atomo/key_codec.hpp"
#include "draco/base/assert.hpp"

#include <tuple>

namespace {

struct Nested {
    std::string name;
    std::optional<std::int32_t> part;
    std::pair<draco::Bytes, bool> rest;
};

template <class K>
void check(draco::ByteView input) {
    const auto key = draco::atomo::decode_key<K>(input);
    if (!key) return;
    DRACO_ASSERT(draco::equal(draco::atomo::encode_key(*key), input), "one key has one encoding");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const draco::ByteView input(data, size);
    check<std::uint64_t>(input);
    check<bool>(input);
    check<draco::Bytes>(input);
    check<std::string>(input);
    check<std::array<std::uint8_t, 20>>(input);
    check<Nested>(input);
    check<std::tuple<std::uint8_t, std::string, draco::Bytes, std::optional<std::string>>>(input);
    return 0;
}
