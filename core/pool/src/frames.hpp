#pragma once
// Frames as they are on the wire: BCS of the variant (docs/formats/links.md). Views point into the
// decoded bytes.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/bcs/bounded.hpp"
#include "draco/pool/session.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace draco::pool {

struct MessageFrame {
    std::uint8_t protocol = 0;
    ByteView message;
};

struct OpenFrame {
    std::uint64_t id = 0;
    std::uint8_t protocol = 0;
    std::uint32_t deadline_ms = 0;  // from arrival
    std::uint64_t limit = 0;        // bytes that may be sent in all
    ByteView request;
};

struct CreditFrame {
    std::uint64_t id = 0;
    std::uint64_t limit = 0;
};

struct CancelFrame {
    std::uint64_t id = 0;
};

struct ChunkFrame {
    std::uint64_t id = 0;
    std::uint64_t offset = 0;
    ByteView chunk;
};

struct EndFrame {
    std::uint64_t id = 0;
    std::uint64_t offset = 0;  // bytes sent in all
    std::uint8_t code = 0;     // 0: complete
    bcs::Bounded<std::string, kErrorTextBytesMax> text;
};

using Frame = std::variant<MessageFrame, OpenFrame, CreditFrame, CancelFrame, ChunkFrame, EndFrame>;

EndFrame end_frame(std::uint64_t id, std::uint64_t offset, const Result<>& outcome);
Result<> outcome_of(const EndFrame& frame);

}  // namespace draco::pool
