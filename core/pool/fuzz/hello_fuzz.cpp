// What comes before anybody is known: frames, hellos and answers. What decodes encodes to the same
// bytes, if its version is ours.

#include "draco/base/assert.hpp"

#include "../src/hello.hpp"

#include <draco/pool/tls_transport.hpp>

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace draco;
    using namespace draco::pool;
    const ByteView input(data, size);
    if (const auto hello = decode_hello(input); hello && hello->version == kLinkVersion)
        DRACO_ASSERT(equal(ByteView(encode_frame(*hello)).subspan(kFrameHeaderBytes), input),
                     "a hello has one encoding");
    if (const auto answer = decode_answer(input); answer && answer->version == kLinkVersion)
        DRACO_ASSERT(equal(ByteView(encode_frame(*answer)).subspan(kFrameHeaderBytes), input),
                     "an answer has one encoding");
    ByteView rest = input;
    for (;;) {
        const auto frame = next_frame(rest, kHelloBytesMax);
        if (!frame || !*frame) return 0;
        DRACO_ASSERT((*frame)->size() <= kHelloBytesMax, "frames are bounded");
        rest = rest.subspan(kFrameHeaderBytes + (*frame)->size());
    }
}
