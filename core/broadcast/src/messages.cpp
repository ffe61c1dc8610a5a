#include "draco/broadcast/messages.hpp"

#include "draco/blake3_tree/hasher.hpp"

namespace draco::broadcast {

PayloadDigest digest_of(std::uint8_t topic, ByteView payload) {
    static const blake3_tree::Mode kMode =
        blake3_tree::Mode::derive_key("draco.network 2026 gossip v1");
    blake3_tree::Hasher hasher(kMode);
    hasher.update({&topic, 1});
    hasher.update(payload);
    return PayloadDigest(hasher.finish().bytes);
}

Result<Message> decode_message(ByteView bytes) {
    if (bytes.size() > kGossipMessageBytesMax)
        return fail(Errc::Corrupt,
                    "a gossip message of " + std::to_string(bytes.size()) +
                        " bytes, more than any has; it was dropped");
    auto message = bcs::decode<Message>(bytes);
    if (!message)
        return fail(Errc::Corrupt,
                    "a gossip message does not decode (" + to_string(message.error()) +
                        "); it was dropped");
    return *std::move(message);
}

std::optional<interfaces::Topic> topic_from(std::uint8_t value) {
    if (value == static_cast<std::uint8_t>(interfaces::Topic::BlockCertificates))
        return interfaces::Topic::BlockCertificates;
    return std::nullopt;
}

}  // namespace draco::broadcast
