// Whatever the bytes, a record of the journal is a value that encodes to them, or a typed error.

#include "draco/base/assert.hpp"
#include "draco/pod/journal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;  // NOLINT(google-build-using-namespace)
    const ByteView bytes(data, size);
    const auto record = pod::decode_record(bytes);
    if (!record) {
        DRACO_ASSERT(record.error().code == Errc::Corrupt, "what is no record is Corrupt");
        DRACO_ASSERT(!record.error().context.empty(), "an error says what is wrong");
        return 0;
    }
    DRACO_ASSERT(equal(pod::encode_record(*record), bytes), "one record, one encoding");
    pod::JournalContent content;
    content.apply(*record);
    pod::JournalContent twice = content;
    twice.apply(*record);
    DRACO_ASSERT(content == twice, "a record that is there twice says nothing more");
    return 0;
}
