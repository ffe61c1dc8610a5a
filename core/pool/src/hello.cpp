#include "hello.hpp"

#include "draco/bcs/bcs.hpp"
#include "draco/pool/tls_transport.hpp"

namespace draco::pool {
namespace {

Bytes framed(const Bytes& payload) {
    Bytes frame = frame_header(payload.size());
    append(frame, payload);
    return frame;
}

template <class T>
Result<T> decode_versioned(ByteView frame) {
    if (frame.size() < sizeof(std::uint16_t))
        return fail(Errc::Corrupt, "a hello of " + std::to_string(frame.size()) + " bytes");
    T value;
    value.version = load_le<std::uint16_t>(frame.data());
    if (value.version != kLinkVersion) return value;
    auto decoded = bcs::decode<T>(frame);
    if (!decoded) return fail(Errc::Corrupt, "a hello that does not decode");
    return *std::move(decoded);
}

}  // namespace

Bytes frame_header(std::size_t size) {
    Bytes header(kFrameHeaderBytes);
    store_le(header.data(), static_cast<std::uint32_t>(size));
    return header;
}

Bytes encode_frame(const Hello& hello) {
    return framed(bcs::encode(hello));
}

Bytes encode_frame(const HelloAnswer& answer) {
    return framed(bcs::encode(answer));
}

Result<Hello> decode_hello(ByteView frame) {
    return decode_versioned<Hello>(frame);
}

Result<HelloAnswer> decode_answer(ByteView frame) {
    return decode_versioned<HelloAnswer>(frame);
}

Result<std::optional<ByteView>> next_frame(ByteView bytes, std::size_t bytes_max) {
    if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
    const std::size_t size = load_le<std::uint32_t>(bytes.data());
    if (size > bytes_max)
        return fail(Errc::InvalidArgument,
                    "a frame of " + std::to_string(size) + " bytes where at most " +
                        std::to_string(bytes_max) + " are allowed");
    if (bytes.size() - kFrameHeaderBytes < size) return std::nullopt;
    return bytes.subspan(kFrameHeaderBytes, size);
}

bcs::Bounded<std::string, kHelloTextBytesMax> hello_text(std::string text) {
    if (text.size() > kHelloTextBytesMax) text.resize(kHelloTextBytesMax);
    if (!bcs::is_utf8(text)) text = "(not a text)";
    auto bounded = bcs::Bounded<std::string, kHelloTextBytesMax>::make(std::move(text));
    return bounded ? *std::move(bounded) : bcs::Bounded<std::string, kHelloTextBytesMax>();
}

}  // namespace draco::pool
