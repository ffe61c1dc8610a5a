#include "draco/bcs/encoder.hpp"

namespace draco::bcs {

void Encoder::uleb128(std::uint32_t value) {
    std::uint8_t raw[5];
    std::size_t size = 0;
    for (; value >= 0x80; value >>= 7) raw[size++] = static_cast<std::uint8_t>(value | 0x80);
    raw[size++] = static_cast<std::uint8_t>(value);
    bytes(raw, size);
}

void Encoder::length(std::size_t count) {
    DRACO_ASSERT(count <= kLengthMax, "a container to encode has at most kLengthMax elements");
    uleb128(static_cast<std::uint32_t>(count));
}

void Encoder::flush() {
    if (used_ > 0) sink_.write({buffer_, used_});
    used_ = 0;
}

void Encoder::overflow(const std::uint8_t* data, std::size_t size) {
    flush();
    if (size >= sizeof(buffer_)) return sink_.write({data, size});
    std::memcpy(buffer_, data, size);
    used_ = size;
}

}  // namespace draco::bcs
