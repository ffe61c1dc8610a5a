#pragma once
// What a Range field asks of a content (RFC 9110 14.1.2, 14.2).

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace draco::cdn {

// Specifiers of one field that are read, and parts of one answer. With more, the whole is sent.
inline constexpr std::size_t kRangeSpecifiersMax = 128;
inline constexpr std::size_t kRangesMax = 16;
// Ranges closer than this cost less together than a part of its own does.
inline constexpr std::uint64_t kRangeGapBytesMax = 128;

// Both ends belong to it. first <= last < the content's length.
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    std::uint64_t bytes() const { return last - first + 1; }

    bool operator==(const ByteRange&) const = default;
};

struct RangeSelection {
    enum class Kind : std::uint8_t {
        Whole,           // nothing valid was asked for, or too much: the field is ignored
        Partial,         // 206
        NotSatisfiable,  // 416
    };

    Kind kind = Kind::Whole;
    // Of Partial: 1..kRangesMax, disjoint, in the order asked for; each as the first of those that
    // were joined into it.
    std::vector<ByteRange> ranges{};

    bool operator==(const RangeSelection&) const = default;
};

// `field` is the value of the one Range field.
RangeSelection select_ranges(std::string_view field, std::uint64_t content_bytes);

}  // namespace draco::cdn
