// Whatever the bytes, a key file gives a value or a typed error; what decodes as ours is canonical.

#include "draco/base/assert.hpp"
#include "draco/identity/key_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace identity = draco::identity;
    const draco::ByteView input(data, size);
    if (const auto ours = identity::decode_key_file(input))
        DRACO_ASSERT(draco::equal(identity::encode_key_file(*ours), input), "one key, one file");
    const auto foreign = identity::decode_foreign_key_file(input);
    if (foreign) {
        DRACO_ASSERT(foreign->salt.size() <= identity::kSaltBytesMax, "salts are bounded");
        const identity::Password password(draco::as_bytes("fuzz"));
        if (foreign->scrypt.n <= 16 && foreign->scrypt.r <= 8 && foreign->scrypt.p <= 2)
            (void)identity::open_key(*foreign, password);
    } else {
        DRACO_ASSERT(!foreign.error().context.empty(), "an error says what is wrong");
    }
    return 0;
}
