#include "content_address.hpp"

#include "draco/base/text_encoding.hpp"

#include <string_view>
#include <utility>

namespace draco {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kFrontPath = "/b3/";
constexpr std::uint16_t kHttpPort = 80;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string percent_decoded(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            made += text[i];
            continue;
        }
        made += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return made;
}

Result<ContentAddress> parse_path(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string hash = text.substr(0, slash);
    const auto root = fixed_from_hex<types::ContentHash>(hash);
    if (!root)
        return fail(Errc::InvalidArgument,
                    "\"" + hash +
                        "\" is no address: 64 hex digits, as draco put and draco ls show, or a URL "
                        "that draco put prints");
    std::string path = slash == std::string::npos ? "" : text.substr(slash + 1);
    while (path.ends_with('/')) path.pop_back();
    return ContentAddress{.root = *root, .path = std::move(path)};
}

}  // namespace

Result<ContentAddress> parse_content_address(const std::string& text) {
    if (!text.starts_with(kScheme)) return parse_path(text);
    const std::size_t slash = text.find('/', kScheme.size());
    if (slash == std::string::npos || !text.substr(slash).starts_with(kFrontPath))
        return fail(Errc::InvalidArgument,
                    "\"" + text +
                        "\" is no URL of content: http://HOST:PORT/b3/HASH, as draco put "
                        "prints");
    std::string path = text.substr(slash + kFrontPath.size());
    path.resize(std::min(path.find_first_of("?#"), path.size()));
    DRACO_TRY(address, parse_path(percent_decoded(path)));
    const std::string host = text.substr(0, slash);
    const bool has_port = host.find(':', kScheme.size()) != std::string::npos;
    DRACO_TRY(front, HttpUrl::parse(has_port ? host : host + ":" + std::to_string(kHttpPort)));
    address.front = std::move(front);
    return address;
}

}  // namespace draco
