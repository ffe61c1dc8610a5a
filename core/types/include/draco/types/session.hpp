#pragma once
// What a client and a node say to each other about content and payment (docs/formats/session.md,
// docs/decisions/020). Each message is BCS of one of the two variants; how messages are told apart
// on the wire is the transport's. Views point into the decoded bytes.

#include "draco/bcs/bcs.hpp"
#include "draco/bcs/bounded.hpp"
#include "draco/types/content.hpp"
#include "draco/types/lane.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace draco::types::session {

inline constexpr std::uint16_t kVersion = 1;
// The name of the protocol in TLS (RFC 7301).
inline constexpr std::string_view kAlpn = "draco-session/1";

inline constexpr std::size_t kClientMessageBytesMax = 1024;
inline constexpr std::size_t kNodeMessageBytesMax = (std::size_t{256} << 10) + 1024;
inline constexpr std::size_t kTextBytesMax = 512;
inline constexpr std::size_t kTreePieceNodesMax = 2048;
inline constexpr std::size_t kEntriesPieceMax = 128;
// Open in one session at a time, and ranges of blocks of one of them that are not all sent.
inline constexpr std::size_t kRequestsMax = 8;
inline constexpr std::size_t kRangesMax = 16;

using Nonce = FixedBytes<struct SessionNonceTag, 32>;
using Text = bcs::Bounded<std::string, kTextBytesMax>;
using ProofDigest = FixedBytes<struct SessionProofDigestTag, 32>;

// `text`, cut where it is too long; "(not a text)" if it is no UTF-8.
Text make_text(std::string text);

// ---- client

struct LaneClaim {
    Address payer{};
    LaneIndex lane{};
    LaneInstance instance{};

    bool operator==(const LaneClaim&) const = default;
};

struct Hello {
    std::uint16_t version = kVersion;
    ChainId chain{};
    std::optional<LaneClaim> lane{};  // nothing: a free session
};

// The lane's session key over a Proven, for this session only.
struct Proof {
    SessionSignature signature{};
};

// The id is the client's, greater than those before it in this session and above 0.
struct Open {
    std::uint64_t id = 0;
    ContentHash hash{};
    bool with_tree = false;  // send a file's tree, a directory's entries, after the head
};

// Blocks first to first + count - 1, which are blocks of the file.
struct Blocks {
    std::uint64_t id = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

struct Cancel {
    std::uint64_t id = 0;
};

struct Ack {
    SignedDeliveryAck ack{};
};

using ClientMessage = std::variant<Hello, Proof, Open, Blocks, Cancel, Ack>;

// ---- node

struct Challenge {
    std::uint16_t version = kVersion;
    ChainId chain{};
    NodeKey node{};
    Nonce nonce{};
};

// Counts are cumulative units of the lane, as in DeliveryAck.
struct Standing {
    UnitPrice price{};
    std::uint64_t settled = 0;
    std::uint64_t acknowledged = 0;           // durable at the node
    std::optional<SignedDeliveryAck> latest;  // the word behind it; none: nothing, or only settled
    std::uint64_t units_max = 0;              // that the reserve pays for
    std::uint64_t window = 0;  // units that are delivered beyond those acknowledged, at most

    bool operator==(const Standing&) const = default;
};

struct Welcome {
    std::optional<Standing> lane{};  // nothing: a free session
};

struct Head {
    std::uint64_t id = 0;
    ContentInfo info{};
};

struct TreePiece {
    std::uint64_t id = 0;
    std::uint64_t first = 0;
    bcs::Bounded<std::vector<blake3_tree::Hash>, kTreePieceNodesMax> items;
};

struct EntriesPiece {
    std::uint64_t id = 0;
    std::uint64_t first = 0;
    bcs::Bounded<std::vector<DirectoryEntry>, kEntriesPieceMax> items;
};

struct Block {
    std::uint64_t id = 0;
    std::uint64_t index = 0;
    ByteView bytes;
};

// The request is over. Id 0: the session is, and the node closes it.
struct End {
    std::uint64_t id = 0;
    std::uint8_t code = 0;  // to_code()
    Text text;
};

struct AckTaken {
    std::uint64_t cumulative = 0;
    std::uint64_t units_max = 0;
    std::uint64_t window = 0;
};

struct AckRefused {
    std::uint64_t cumulative = 0;
    std::uint8_t code = 0;
    Text text;
};

enum class PauseReason : std::uint8_t { Unacknowledged, ReserveUsedUp, LaneClosing };

// Blocks are wanted and wait until an acknowledgement, or money, comes; on a lane that closes, for
// nothing. Sent once each time, behind all blocks of this session that are counted as delivered.
struct Paused {
    PauseReason reason{};
    std::uint64_t delivered = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t units_max = 0;
    Text text;
};

using NodeMessage = std::variant<Challenge,
                                 Welcome,
                                 Head,
                                 TreePiece,
                                 EntriesPiece,
                                 Block,
                                 End,
                                 AckTaken,
                                 AckRefused,
                                 Paused>;

// ---- what both do

// Errors by number; 0 is success. Numbers are for ever.
std::uint8_t to_code(Errc code);
End make_end(std::uint64_t id, const Result<>& outcome);
Result<> outcome_of(std::uint8_t code, const Text& text);

// One whole message. Corrupt: it does not decode, or is longer than its bound.
Result<ClientMessage> decode_client_message(ByteView bytes);
Result<NodeMessage> decode_node_message(ByteView bytes);

// What a Proof signs: nothing in it can be replayed to another node, chain or session.
struct Proven {
    static constexpr auto kKind = MessageKind::SessionProof;
    using Digest = ProofDigest;

    LaneClaim lane{};
    NodeKey node{};
    Nonce nonce{};
};

SessionSignature prove(ChainId chain, const Proven& proven, const SessionSecretKey& key);
// Unauthenticated.
Result<> verify(ChainId chain,
                const SessionKey& key,
                const Proven& proven,
                const SessionSignature& signature);

}  // namespace draco::types::session
