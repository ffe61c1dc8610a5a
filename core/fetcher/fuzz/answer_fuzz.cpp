// Foreign bytes as requests for content and as answers to them: every decoder refuses or has one
// encoding, and a head is taken as complete only if it is of the sizes that it claims. The first
// byte of each piece picks its length.

#include "draco/base/assert.hpp"
#include "draco/fetcher/messages.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    using namespace draco::fetcher;
    const ByteView all(data, size);
    if (const auto request = decode_request(all))
        DRACO_ASSERT(equal(bcs::encode(*request), all), "one encoding per request");
    if (const auto head = decode_head(all))
        DRACO_ASSERT(equal(bcs::encode(*head), all), "one encoding per head");
    if (const auto entries = decode_entries(all))
        DRACO_ASSERT(equal(bcs::encode(*entries), all), "one encoding per entries");
    // The address is that of an empty directory, or all that the input begins with.
    types::ContentHash hash(blake3_tree::empty_directory_hash().bytes);
    ByteView rest = all;
    if (size > 33 && all[0] % 2 == 0) {
        hash = types::ContentHash(all.subspan(1).first<32>());
        rest = all.subspan(33);
    }
    HeadReader reader(hash, std::uint64_t{1} << 30);
    while (!rest.empty()) {
        const std::size_t length = std::min<std::size_t>(rest.size() - 1, 1 + rest[0]);
        const ByteView piece = rest.subspan(1, length);
        rest = rest.subspan(1 + length);
        const bool was_complete = reader.is_complete();
        const auto added = reader.add(piece);
        if (!added) {
            DRACO_ASSERT(
                added.error().code == Errc::Corrupt || added.error().code == Errc::Exhausted,
                "a typed error");
            break;
        }
        DRACO_ASSERT(!was_complete, "nothing follows a whole head");
    }
    if (!reader.is_complete()) return 0;
    const Head head = *reader.head();
    if (head.kind == types::ContentKind::Directory) {
        DRACO_ASSERT(reader.take_entries().size() == head.leaves, "all entries");
        return 0;
    }
    DRACO_ASSERT(reader.take_nodes().size() == 2 * head.leaves - 1, "the whole tree");
    DRACO_ASSERT(reader.take_last_block().size() == block_bytes(head.bytes, head.leaves - 1),
                 "the whole last block");
    return 0;
}
