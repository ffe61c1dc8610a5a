#include "content_path.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/sdk/answer.hpp"

#include <optional>

namespace draco::cdn {
namespace {

using sdk::printable;

constexpr std::string_view kPrefix = "/blake3/";
constexpr std::string_view kHint =
    "The address of a file or directory is its BLAKE3 hash in 64 hex digits.";

std::unexpected<Refusal> refuse(unsigned status, std::string text) {
    return std::unexpected(Refusal{status, std::move(text)});
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

Result<std::string, Refusal> decode(std::string_view segment) {
    std::string decoded;
    decoded.reserve(segment.size());
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '%') {
            decoded += segment[i];
            continue;
        }
        const auto high = i + 1 < segment.size() ? hex_digit(segment[i + 1]) : std::nullopt;
        const auto low = i + 2 < segment.size() ? hex_digit(segment[i + 2]) : std::nullopt;
        if (!high || !low)
            return refuse(400,
                          "a '%' in the path is not followed by two hex digits; write '%' itself "
                          "as %25");
        decoded += static_cast<char>(*high << 4U | *low);
        i += 2;
    }
    return decoded;
}

Result<std::string, Refusal> decode_segment(std::string_view segment) {
    DRACO_TRY(name, decode(segment));
    if (name.empty())
        return refuse(400, "the path has an empty segment ('//'); names in a directory have none");
    if (name.contains('/') || name.contains('\0'))
        return refuse(400, "a segment of the path has an encoded '/' or zero byte; no name does");
    if (name == "." || name == "..")
        return refuse(400, "the path has a segment '" + name + "'; resolve it before asking");
    return std::move(name);
}

}  // namespace

Result<ContentPath, Refusal> parse_content_path(std::string_view target) {
    std::string_view path = target.substr(0, target.find('?'));
    if (!path.starts_with(kPrefix))
        return refuse(404,
                      "this service has nothing at " + printable(path) + ", only " +
                          std::string(kPrefix) + "<hash>/<path>. " + std::string(kHint));
    path.remove_prefix(kPrefix.size());
    const std::size_t slash = path.find('/');
    const auto hash = fixed_from_hex<types::ContentHash>(path.substr(0, slash));
    if (!hash)
        return refuse(400,
                      "'" + printable(path.substr(0, slash)) + "' is no content address: " +
                          hash.error().context + ". " + std::string(kHint));
    ContentPath content{.root = *hash, .segments = {}, .has_slash_at_end = false};
    std::string_view rest = slash == std::string_view::npos ? "" : path.substr(slash);
    while (!rest.empty()) {
        rest.remove_prefix(1);  // a '/'
        if (rest.empty()) {
            content.has_slash_at_end = true;
            break;
        }
        if (content.segments.size() == kSegmentsMax)
            return refuse(414,
                          "the path has more than " + std::to_string(kSegmentsMax) + " segments");
        const std::string_view segment = rest.substr(0, rest.find('/'));
        DRACO_TRY(name, decode_segment(segment));
        content.segments.push_back(std::move(name));
        rest.remove_prefix(segment.size());
    }
    return content;
}

}  // namespace draco::cdn
