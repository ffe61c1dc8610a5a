#include "content_path.hpp"

#include "draco/base/text_encoding.hpp"

#include <array>
#include <optional>

namespace draco::gateway {
namespace {

constexpr std::array<std::string_view, 2> kPrefixes = {"/b3/", "/services/0/blake3/"};
constexpr std::string_view kHint =
    "This is the content front of a Draco node: GET /b3/<hash>/<path>, where <hash> is the BLAKE3 "
    "address of a file or directory in 64 hex digits.";

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
    std::string_view prefix;
    for (const std::string_view known : kPrefixes)
        if (path.starts_with(known)) prefix = known;
    if (prefix.empty())
        return refuse(404, "there is nothing at " + printable(path) + ". " + std::string(kHint));
    path.remove_prefix(prefix.size());
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

std::string printable(std::string_view text) {
    std::string shown(text);
    for (char& c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = '?';
    }
    return shown;
}

}  // namespace draco::gateway
