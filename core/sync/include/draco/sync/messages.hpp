#pragma once
// Requests of Protocol::Blocks and their streamed answers (docs/formats/sync.md). An answer is a
// sequence of records, u32 LE length || bytes, cut into chunks anywhere: first a Status, then, to a
// RangeRequest or a TailRequest, the blocks from `from` on.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/interfaces/ledger.hpp"

#include <cstdint>
#include <optional>
#include <variant>

namespace draco::sync {

inline constexpr std::uint32_t kRangeBlocksMax = 256;
inline constexpr std::size_t kStatusBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kBlockBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kRequestMessageBytesMax = 64;

struct StatusRequest {
    bool operator==(const StatusRequest&) const = default;
};

// Blocks from `from` on, of one epoch. The answer ends with a block that has a certificate, or
// whose certificate is the status's; it may have more than count_max blocks for that reason, at
// most kRangeBlocksMax.
struct RangeRequest {
    types::Height from;
    std::uint32_t count_max = 0;

    bool operator==(const RangeRequest&) const = default;
};

// Blocks from `from` on, of one epoch, each as soon as it or one after it has a certificate: the
// answer goes on until there was none for wait_ms, which may be shorter if the peer wants it so. At
// most kRangeBlocksMax follow each other without a certificate; that of the status certifies too.
struct TailRequest {
    types::Height from;
    std::uint32_t wait_ms = 0;

    bool operator==(const TailRequest&) const = default;
};

using Request = std::variant<StatusRequest, RangeRequest, TailRequest>;

struct Status {
    types::Height lowest;  // that can be had
    types::Height head;
    std::optional<types::BlockCertificate> latest;

    bool operator==(const Status&) const = default;
};

// Corrupt if it is no Request.
Result<Request> decode_request(ByteView bytes);

// Corrupt if it is no ArchivedBlock, or a transaction in it is shorter than
// types::kTransactionBytesMin. Memory: about that of `record`, whatever it holds, because batch
// after batch is looked at.
Result<interfaces::ArchivedBlock> decode_block(ByteView record);

void append_record(Bytes& to, ByteView record);

// Cuts a stream into records. Memory: the bytes of one record, which grows with what has arrived.
class RecordReader {
public:
    void add(ByteView chunk);
    // The next record, until the next call of add() or next(); nullopt: more is needed. Corrupt if
    // it is longer than `bytes_max`.
    Result<std::optional<ByteView>> next(std::size_t bytes_max);

    // Whether the stream may end here.
    bool is_between_records() const { return offset_ == buffer_.size(); }

    std::size_t buffered_bytes() const { return buffer_.size() - offset_; }

private:
    Bytes buffer_;
    std::size_t offset_ = 0;
};

}  // namespace draco::sync
