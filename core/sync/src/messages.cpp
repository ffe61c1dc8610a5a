#include "draco/sync/messages.hpp"

#include <algorithm>
#include <utility>

namespace draco::sync {

namespace {

constexpr std::size_t kLengthBytes = 4;

Result<> check_transactions(const types::Batch& batch) {
    const auto is_too_short = [](ByteView transaction) {
        return transaction.size() < types::kTransactionBytesMin;
    };
    if (std::ranges::none_of(batch.transactions, is_too_short)) return {};
    return fail(Errc::Corrupt,
                "a block has a transaction of fewer than " +
                    std::to_string(types::kTransactionBytesMin) + " bytes");
}

}  // namespace

Result<Request> decode_request(ByteView bytes) {
    if (bytes.size() > kRequestMessageBytesMax)
        return fail(Errc::Corrupt,
                    "a request for blocks of " + std::to_string(bytes.size()) +
                        " bytes, more than any has");
    auto request = bcs::decode<Request>(bytes);
    if (!request)
        return fail(Errc::Corrupt,
                    "a request for blocks does not decode: " + to_string(request.error()));
    return *request;
}

Result<interfaces::ArchivedBlock> decode_block(ByteView record) {
    const auto refuse = [](bcs::Decoder& in) {
        const bcs::DecodeError error = std::move(in).error("ArchivedBlock");
        return fail(Errc::Corrupt, "a block does not decode: " + to_string(error));
    };
    interfaces::ArchivedBlock archived;
    bcs::Decoder in(record);
    std::size_t batches = 0;
    if (!bcs::read(in, archived.block) ||
        !in.length(types::kBlockBatchesMax, bcs::encoded_bytes_min<types::Batch>(), batches))
        return refuse(in);
    for (std::size_t i = 0; i < batches; ++i) {
        types::Batch batch;
        if (!bcs::read(in, batch)) return refuse(in);
        DRACO_TRY_VOID(check_transactions(batch));
        static_cast<void>(archived.batches.try_push_back(std::move(batch)));
    }
    if (!bcs::read(in, archived.certificate) || !in.expect_end()) return refuse(in);
    return archived;
}

void append_record(Bytes& to, ByteView record) {
    std::uint8_t length[kLengthBytes];
    store_le(length, static_cast<std::uint32_t>(record.size()));
    append(to, length);
    append(to, record);
}

void RecordReader::add(ByteView chunk) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(offset_));
    offset_ = 0;
    append(buffer_, chunk);
}

Result<std::optional<ByteView>> RecordReader::next(std::size_t bytes_max) {
    const ByteView rest = ByteView(buffer_).subspan(offset_);
    if (rest.size() < kLengthBytes) return std::nullopt;
    const auto length = load_le<std::uint32_t>(rest.data());
    if (length > bytes_max)
        return fail(Errc::Corrupt,
                    "a record of " + std::to_string(length) + " bytes where at most " +
                        std::to_string(bytes_max) + " are allowed");
    if (rest.size() - kLengthBytes < length) return std::nullopt;
    offset_ += kLengthBytes + length;
    return rest.subspan(kLengthBytes, length);
}

}  // namespace draco::sync
