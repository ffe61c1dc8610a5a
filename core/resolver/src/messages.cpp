#include "draco/resolver/messages.hpp"

#include <string>

namespace draco::resolver {
namespace {

constexpr std::size_t kLengthBytes = 1;  // ULEB128 of up to 127 elements

template <class M>
Result<M> decode(ByteView bytes, std::size_t bytes_max, const char* what) {
    if (bytes.size() > bytes_max)
        return fail(Errc::Corrupt,
                    std::string(what) + " of " + std::to_string(bytes.size()) +
                        " bytes, more than any has");
    auto message = bcs::decode<M>(bytes);
    if (!message)
        return fail(Errc::Corrupt,
                    std::string(what) + " does not decode: " + to_string(message.error()));
    return *std::move(message);
}

}  // namespace

Result<Announce> decode_announce(ByteView bytes) {
    return decode<Announce>(bytes,
                            kLengthBytes + kAnnouncedMax * types::kSignedProviderRecordBytes,
                            "an announcement of objects");
}

Result<Lookup> decode_lookup(ByteView bytes) {
    return decode<Lookup>(bytes, types::ContentHash::kSize, "a lookup of providers");
}

Result<Found> decode_found(ByteView bytes) {
    return decode<Found>(bytes,
                         kLengthBytes + kFoundMax * types::kSignedProviderRecordBytes,
                         "an answer to a lookup of providers");
}

}  // namespace draco::resolver
