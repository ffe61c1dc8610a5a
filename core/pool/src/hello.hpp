#pragma once
// What is said on each connection before messages (docs/formats/links.md): the dialer's hello, the
// listener's answer. BCS, each in one frame.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bounded.hpp"
#include "draco/types/genesis.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace draco::pool {

inline constexpr std::size_t kHelloBytesMax = 512;
inline constexpr std::size_t kHelloTextBytesMax = 256;
inline constexpr std::size_t kFrameHeaderBytes = 4;

struct Hello {
    std::uint16_t version = 0;
    types::ChainId chain{};
    types::GenesisDigest genesis{};
    std::uint8_t channel = 0;
    std::uint64_t attempt = 0;  // the same on the three connections of a link
    std::uint16_t listen_port = 0;

    bool operator==(const Hello&) const = default;
};

enum class HelloVerdict : std::uint8_t { Accepted, Incompatible, Busy };

struct HelloAnswer {
    std::uint16_t version = 0;
    types::ChainId chain{};
    types::GenesisDigest genesis{};
    HelloVerdict verdict{};
    std::uint32_t message_bytes_max = 0;  // that the dialer may send
    bcs::Bounded<std::string, kHelloTextBytesMax> text;

    bool operator==(const HelloAnswer&) const = default;
};

// Framed.
Bytes encode_frame(const Hello& hello);
Bytes encode_frame(const HelloAnswer& answer);
Bytes frame_header(std::size_t size);

// Corrupt; a version other than ours is decoded no further than that.
Result<Hello> decode_hello(ByteView frame);
Result<HelloAnswer> decode_answer(ByteView frame);

// The next frame in `bytes`: nothing if more bytes are needed, InvalidArgument if it is longer than
// `bytes_max`. Complexity O(1).
Result<std::optional<ByteView>> next_frame(ByteView bytes, std::size_t bytes_max);

bcs::Bounded<std::string, kHelloTextBytesMax> hello_text(std::string text);

}  // namespace draco::pool
