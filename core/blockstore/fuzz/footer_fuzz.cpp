// Any bytes as a footer, and as an entry of a directory: refused, or one value with one encoding.

#include "draco/base/assert.hpp"
#include "draco/blake3_tree/hasher.hpp"

#include "../src/entry_codec.hpp"
#include "../src/format.hpp"

#include <algorithm>

namespace {

using namespace draco;              // NOLINT(google-build-using-namespace)
using namespace draco::blockstore;  // NOLINT(google-build-using-namespace)

void check_footer(ByteView bytes, std::uint64_t size) {
    const auto footer = decode_footer(bytes, size);
    if (!footer) {
        DRACO_ASSERT(
            footer.error().code == Errc::Corrupt || footer.error().code == Errc::Unavailable,
            "damaged, or of another version");
        return;
    }
    DRACO_ASSERT(equal(encode_footer(*footer), bytes), "one encoding");
    DRACO_ASSERT(file_bytes(*footer) == size, "the size of its file");
    DRACO_ASSERT(footer->data_bytes < size, "data within the file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    if (const auto entry = decode_entry(bytes)) {
        Bytes again;
        append_entry(again, *entry);
        DRACO_ASSERT(equal(again, bytes), "one encoding");
        DRACO_ASSERT(size >= kEntryBytesMin && size <= kEntryBytesMax, "of a size that is allowed");
    }
    if (size < 8) return 0;
    const std::uint64_t file_size = load_le<std::uint64_t>(data);
    Bytes footer = to_bytes(bytes.subspan(8));
    check_footer(footer, file_size);
    if (footer.size() != kFooterBytes) return 0;
    // The same fields with a right checksum, in a file of the claimed size and of the right one.
    const auto mode = blake3_tree::Mode::derive_key("draco blockstore object footer");
    const auto sum = blake3_tree::hash(ByteView(footer).first(kFooterBytes - 32), mode);
    std::ranges::copy(sum.view(), footer.end() - 32);
    check_footer(footer, file_size);
    const std::uint64_t leaves = load_le<std::uint64_t>(footer.data() + 53);
    const std::uint64_t data_bytes = load_le<std::uint64_t>(footer.data() + 61);
    check_footer(footer, data_bytes + tree_bytes(leaves) + kFooterBytes);
    return 0;
}
