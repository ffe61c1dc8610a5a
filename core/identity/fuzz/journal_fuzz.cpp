// Whatever the bytes, a journal gives a value that encodes to them, or a typed error. The checksum
// is made right first, so that the rest is reached.

#include "draco/base/assert.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/identity/signing_journal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace identity = draco::identity;
    const identity::JournalOwner owner{};
    (void)identity::decode_journal(owner, {data, size});
    draco::Bytes input = draco::to_bytes(draco::as_bytes("DRACOSJ1"));
    draco::append(input, {data, size});
    draco::append(input, draco::crypto::sha256(input).view());
    const auto content = identity::decode_journal(owner, input);
    if (content)
        DRACO_ASSERT(draco::equal(identity::encode_journal(owner, *content), input),
                     "one journal, one file");
    else
        DRACO_ASSERT(!content.error().context.empty(), "an error says what is wrong");
    return 0;
}
