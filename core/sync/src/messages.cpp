#include "draco/sync/messages.hpp"

namespace draco::sync {

namespace {

constexpr std::size_t kLengthBytes = 4;

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
