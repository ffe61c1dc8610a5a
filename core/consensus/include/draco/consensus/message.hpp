#pragma once
// What validators say to each other, and what they write to their logs. Encoded as BCS variants:
// ULEB128 tag, then the value.

#include "draco/base/transport.hpp"
#include "draco/types/block.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace draco::consensus {

using types::AuthorityIndex;
using types::AuthoritySet;
using types::Epoch;
using types::Round;

inline constexpr std::size_t kRequestBatchesMax = 64;
inline constexpr std::size_t kRequestRoundsMax = 1024;
inline constexpr std::size_t kResponseCertificatesMax = 64;

// To a batch's author: I hold it.
struct BatchStored {
    Epoch epoch;
    types::BatchDigest batch;

    bool operator==(const BatchStored&) const = default;
};

// Each batch the receiver holds comes back as a Batch.
struct BatchRequest {
    Epoch epoch;
    bcs::Bounded<std::vector<types::BatchDigest>, kRequestBatchesMax> batches;

    bool operator==(const BatchRequest&) const = default;
};

// Certificates of rounds from `first` on that are not in `have` (of round first + i at index i;
// nothing of the rounds after it). Answered by one CertificateResponse.
struct CertificateRequest {
    Epoch epoch;
    Round first;
    bcs::Bounded<std::vector<AuthoritySet>, kRequestRoundsMax> have;

    bool operator==(const CertificateRequest&) const = default;
};

// In ascending order of (round, author). `floor` is the lowest round the sender still has; below
// it, only blocks help.
struct CertificateResponse {
    Epoch epoch;
    Round floor;
    types::Height height;  // of the last block the sender committed
    bcs::Bounded<std::vector<types::Certificate>, kResponseCertificatesMax> certificates;

    bool operator==(const CertificateResponse&) const = default;
};

enum class Reply : std::uint8_t { NotNeeded, Wanted };

// To all, after a block was committed. Reply::Wanted asks for the receiver's own on the same block.
struct BlockSignature {
    types::BlockStatement statement;
    types::NodeSignature signature;
    Reply reply = Reply::NotNeeded;

    bool operator==(const BlockSignature&) const = default;
};

// Alternatives are numbered by position: only ever append.
using Message = std::variant<types::Batch,
                             types::SignedHeader,
                             types::Vote,
                             types::Certificate,
                             BatchStored,
                             BatchRequest,
                             CertificateRequest,
                             CertificateResponse,
                             BlockSignature>;

// --- the log ---

// The own header, before it is sent. Also the own vote for it.
struct OwnHeader {
    types::SignedHeader header;
    bool operator==(const OwnHeader&) const = default;
};

// A vote for another's header, before it is sent. The signature is a function of it and the key.
struct OwnVote {
    Round round;
    AuthorityIndex author;
    types::HeaderDigest header;
    bool operator==(const OwnVote&) const = default;
};

// Of a worker: nothing is to be done with this own batch any more.
struct BatchSettled {
    types::BatchDigest batch;
    bool operator==(const BatchSettled&) const = default;
};

// Alternatives are numbered by position: only ever append.
using Record =
    std::variant<OwnHeader, OwnVote, types::Certificate, types::Batch, types::Block, BatchSettled>;

namespace detail {

template <class T, class... Ts>
consteval std::uint8_t alternative_index(const std::variant<Ts...>* /*type*/) {
    std::uint8_t index = 0;
    static_cast<void>(((std::is_same_v<T, Ts> || (++index, false)) || ...));
    return index;
}

template <class Variant, class T>
Bytes encode_alternative(const T& value) {
    constexpr std::uint8_t kIndex = alternative_index<T>(static_cast<const Variant*>(nullptr));
    static_assert(kIndex < std::variant_size_v<Variant> && kIndex < 0x80);
    Bytes bytes;
    bytes.reserve(1 + bcs::encoded_size(value));
    bytes.push_back(kIndex);
    bcs::BytesSink sink(bytes);
    bcs::encode_into(sink, value);
    return bytes;
}

}  // namespace detail

// The encoding of Message(message), without building one.
template <class M>
Bytes encode_message(const M& message) {
    return detail::encode_alternative<Message>(message);
}

template <class R>
Bytes encode_record(const R& record) {
    return detail::encode_alternative<Record>(record);
}

inline Result<Message, bcs::DecodeError> decode_message(ByteView bytes) {
    return bcs::decode<Message>(bytes);
}

inline Result<Record, bcs::DecodeError> decode_record(ByteView bytes) {
    return bcs::decode<Record>(bytes);
}

// Bulk data travels beside the votes, not before them.
template <class M>
constexpr Channel channel_of() {
    if constexpr (std::is_same_v<M, types::Batch> || std::is_same_v<M, CertificateResponse>)
        return Channel::Bulk;
    else
        return Channel::Consensus;
}

}  // namespace draco::consensus
