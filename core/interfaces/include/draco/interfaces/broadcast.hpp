#pragma once
// Gossip to every node, member or not: small messages that anybody may pass on.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>

namespace draco::interfaces {

// Values are on the wire: never renumber.
enum class Topic : std::uint8_t {
    BlockCertificates = 1,
};

inline constexpr std::size_t kGossipBytesMax = std::size_t{64} << 10;

enum class GossipVerdict : std::uint8_t {
    Accept,  // valid and news: pass it on
    Ignore,  // valid or undecidable, and not worth passing on
    Reject,  // invalid: who sent it vouched for it
};

class GossipSubscriber {
public:
    virtual ~GossipSubscriber() = default;
    // Called one at a time, quick. `from` is the peer that it came through, not its origin.
    virtual GossipVerdict on_gossip(const types::NodeKey& from, ByteView payload) = 0;
};

class Broadcast {
public:
    virtual ~Broadcast() = default;
    // Thread-safe. InvalidArgument if it is too long. A payload that was published or passed on
    // before is not sent again.
    virtual Result<> publish(Topic topic, Bytes payload) = 0;
    // One subscriber per topic; null ends it, and returns when no call is running.
    virtual void set_subscriber(Topic topic, GossipSubscriber* subscriber) = 0;
};

}  // namespace draco::interfaces
