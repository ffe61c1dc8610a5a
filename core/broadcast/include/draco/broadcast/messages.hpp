#pragma once
// What gossip looks like on a link (docs/formats/gossip.md): BCS of Message, in Protocol::Gossip,
// Channel::Control.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/interfaces/broadcast.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace draco::broadcast {

// Payloads up to here are sent unasked, longer ones are advertised and pulled.
inline constexpr std::size_t kPushBytesMax = 1024;
inline constexpr std::size_t kAdvertiseMax = 256;
inline constexpr std::size_t kGossipMessageBytesMax = interfaces::kGossipBytesMax + 64;

// BLAKE3 derive_key("draco.network 2026 gossip v1", u8 topic || payload).
using PayloadDigest = FixedBytes<struct PayloadDigestTag, 32>;

PayloadDigest digest_of(std::uint8_t topic, ByteView payload);

struct Push {
    std::uint8_t topic = 0;
    bcs::Bounded<Bytes, kPushBytesMax> payload;

    bool operator==(const Push&) const = default;
};

// The sender has these payloads.
struct Advertise {
    bcs::Bounded<std::vector<PayloadDigest>, kAdvertiseMax> digests;

    bool operator==(const Advertise&) const = default;
};

struct Pull {
    PayloadDigest digest;

    bool operator==(const Pull&) const = default;
};

// Answers a Pull.
struct Deliver {
    std::uint8_t topic = 0;
    bcs::Bounded<Bytes, interfaces::kGossipBytesMax> payload;

    bool operator==(const Deliver&) const = default;
};

// Answers a Pull of what the sender has no more.
struct Absent {
    PayloadDigest digest;

    bool operator==(const Absent&) const = default;
};

using Message = std::variant<Push, Advertise, Pull, Deliver, Absent>;

// Corrupt if it is no Message.
Result<Message> decode_message(ByteView bytes);

std::optional<interfaces::Topic> topic_from(std::uint8_t value);

}  // namespace draco::broadcast
