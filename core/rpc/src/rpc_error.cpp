#include "rpc_error.hpp"

#include "draco/bcs/bcs.hpp"

namespace draco::rpc {
namespace {

constexpr std::size_t kShownBytesMax = 64;
constexpr std::size_t kMessageBytesMax = 1024;

Code code_of(Errc code) {
    switch (code) {
        case Errc::NotFound:
            return Code::NotFound;
        case Errc::Exhausted:
            return Code::Busy;
        case Errc::DeadlineExceeded:
            return Code::Deadline;
        case Errc::Unavailable:
        case Errc::Abandoned:
            return Code::Unavailable;
        case Errc::AlreadyExists:
        case Errc::InvalidArgument:
        case Errc::Corrupt:
        case Errc::Unauthenticated:
        case Errc::Io:
            break;
    }
    return Code::Internal;
}

std::string cut(std::string_view text, std::size_t bytes_max) {
    if (!bcs::is_utf8(text)) return "(not UTF-8)";
    if (text.size() <= bytes_max) return std::string(text);
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return std::string(text.substr(0, end)) + "...";
}

}  // namespace

RpcError::RpcError(const Error& error)
    : code(code_of(error.code)), message(cut(error.context, kMessageBytesMax)) {
    if (code == Code::Busy || code == Code::Unavailable) data["retry_after_ms"] = kRetryAfterMs;
}

std::unexpected<RpcError> bad_parameter(std::string_view parameter,
                                        const std::string& expected,
                                        const std::string& found) {
    RpcError error(
        Code::InvalidParameters,
        "parameter '" + shown(parameter) + "': expected " + expected + ", found " + found);
    error.data["parameter"] = shown(parameter);
    error.data["expected"] = expected;
    error.data["found"] = found;
    return std::unexpected(std::move(error));
}

RpcError busy(std::string message) {
    return {Code::Busy, std::move(message), {{"retry_after_ms", kRetryAfterMs}}};
}

std::string shown(std::string_view text) {
    return cut(text, kShownBytesMax);
}

}  // namespace draco::rpc
