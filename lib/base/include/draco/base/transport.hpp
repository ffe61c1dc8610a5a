#pragma once
// Messages between nodes as a capability: authenticated links of a peer pool in a node, simulated
// links in lib/simulon.
//
// Delivery contract, the same for both: messages of one (peer, channel) arrive in the order sent,
// each whole; any of them may be lost (the link broke) or, after a reconnect, arrive twice. A link
// that goes down and up again says so, and nothing in flight survives that. Channels of one link
// are independent: bulk never delays a vote.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/base/strong_id.hpp"

#include <cstdint>

namespace draco {

// The sender's handle for a peer; which key stands behind it is known to who built the Transport.
struct PeerIdTag;
using PeerId = StrongId<PeerIdTag, std::uint32_t>;

enum class Channel : std::uint8_t { Consensus, Control, Bulk };

inline constexpr std::size_t kChannelCount = 3;
inline constexpr std::size_t kMessageBytesMax = std::size_t{4} << 20;

// Called by the Transport, one call at a time for one receiver. The view lives until the call
// returns.
class TransportReceiver {
public:
    virtual ~TransportReceiver() = default;
    virtual void on_message(PeerId from, Channel channel, ByteView message) = 0;
    virtual void on_link_up(PeerId peer) = 0;
    virtual void on_link_down(PeerId peer) = 0;
};

class Transport {
public:
    virtual ~Transport() = default;
    virtual PeerId self() const = 0;
    // Queues the message. Exhausted when this peer's queue for the channel is full, InvalidArgument
    // when the message is longer than kMessageBytesMax, NotFound for an unknown peer, Unavailable
    // when the link is down.
    virtual Result<> send(PeerId to, Channel channel, Bytes message) = 0;
    // Null stops delivery; messages that arrive without a receiver are dropped.
    virtual void set_receiver(TransportReceiver* receiver) = 0;
};

}  // namespace draco
