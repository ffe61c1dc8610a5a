#pragma once
// Content as people name it: HASH, HASH/PATH, or the URL that a node shows it at.

#include "draco/base/result.hpp"
#include "draco/types/content.hpp"

#include "http_exchange.hpp"

#include <optional>
#include <string>

namespace draco {

struct ContentAddress {
    types::ContentHash root{};
    std::string path;                // below the root; empty: the root itself
    std::optional<HttpUrl> front{};  // whose URL it was
};

// http://host:port/b3/HASH/PATH has its path percent-encoded (RFC 3986 2.1). InvalidArgument.
Result<ContentAddress> parse_content_address(const std::string& text);

}  // namespace draco
