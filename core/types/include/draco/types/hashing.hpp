#pragma once
// Domain-separated hashing of protocol messages (docs/decisions/006). A digest binds what kind of
// message it is of, the chain, and the message's canonical bytes; two kinds never share a digest.
// Messages that belong to an epoch carry it as a field.
//
//     digest = BLAKE3 derive_key("draco.network 2026 message v1", u8 kind || u64 LE chain ||
//     BCS(message))

#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/types/ids.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace draco::types {

// Values are part of every digest: never renumber.
enum class MessageKind : std::uint8_t {
    Batch = 1,
    Header = 2,
    Vote = 3,
    Block = 4,
    BlockSignature = 5,
    Transaction = 6,
    Genesis = 7,
    CommitteeDraw = 8,
    DeliveryAck = 9,
    ProviderRecord = 10,
    SessionProof = 11,
};

// A message names its kind and the type of its digest:
//     struct Header { static constexpr auto kKind = MessageKind::Header; using Digest =
//     HeaderDigest; ... };
template <class M>
concept Hashed = requires {
    { M::kKind } -> std::convertible_to<MessageKind>;
    typename M::Digest;
};

// A hash state that has taken in the domain, for messages whose bytes arrive in pieces.
blake3_tree::Hasher begin_message(MessageKind kind, ChainId chain);

// Gathers what an encoder writes field by field, so that long messages are hashed many chunks at a
// time. flush() before the hasher is asked.
class HasherSink final : public bcs::Sink {
public:
    explicit HasherSink(blake3_tree::Hasher& hasher) : hasher_(hasher) {}

    void write(ByteView bytes) override {
        if (bytes.size() > gathered_.size() - size_) flush();
        if (bytes.size() > gathered_.size()) return hasher_.update(bytes);
        std::ranges::copy(bytes, gathered_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += bytes.size();
    }

    void flush() {
        hasher_.update(ByteView(gathered_).first(size_));
        size_ = 0;
    }

private:
    blake3_tree::Hasher& hasher_;
    std::size_t size_ = 0;
    std::array<std::uint8_t, std::size_t{32} << 10> gathered_;  // of this, size_ bytes are written
};

template <Hashed M>
typename M::Digest digest_of(ChainId chain, const M& message) {
    blake3_tree::Hasher hasher = begin_message(M::kKind, chain);
    HasherSink sink(hasher);
    bcs::encode_into(sink, message);
    sink.flush();
    return typename M::Digest(hasher.finish().bytes);
}

}  // namespace draco::types
