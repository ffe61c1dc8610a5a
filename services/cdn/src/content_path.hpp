#pragma once
// What a request target names: the address of a content, and a path below it.

#include "draco/base/result.hpp"
#include "draco/types/content.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace draco::cdn {

inline constexpr std::size_t kSegmentsMax = 64;

struct ContentPath {
    types::ContentHash root;
    // Decoded; none is empty, "." or "..", none has a '/' or a zero byte. They need not be UTF-8.
    std::vector<std::string> segments;
    bool has_slash_at_end = false;

    bool operator==(const ContentPath&) const = default;
};

// Why it names none: a status, and what to say to a person.
struct Refusal {
    unsigned status = 400;
    std::string text;

    bool operator==(const Refusal&) const = default;
};

// Of a target below the service's root:
//     /blake3/<64 hex digits>[/path][?ignored]
// Segments are separated before they are decoded, so that "%2F" separates nothing; what decodes to
// '/', a zero byte, "." or ".." is refused, not resolved.
Result<ContentPath, Refusal> parse_content_path(std::string_view target);

}  // namespace draco::cdn
