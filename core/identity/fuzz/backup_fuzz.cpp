// Whatever the bytes, a backup gives keys or a typed error. The checksum is made right first, so
// that the rest is reached.

#include "draco/base/assert.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/identity/backup.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace identity = draco::identity;
    draco::Bytes input = draco::to_bytes(draco::as_bytes("DRACOBK1"));
    draco::append(input, {data, size});
    // A small cost, else a run is a second long.
    if (input.size() > 10 && (input[8] > 4 || input[9] > 8 || input[10] > 2)) return 0;
    draco::append(input, draco::crypto::sha256(input).view());
    const auto keys = identity::open_backup(input, identity::Password(draco::as_bytes("fuzz")));
    if (!keys) DRACO_ASSERT(!keys.error().context.empty(), "an error says what is wrong");
    return 0;
}
