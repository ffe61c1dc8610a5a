#include "byte_ranges.hpp"

#include "draco/http/message.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace draco::cdn {
namespace {

constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

struct Specifier {
    std::optional<std::uint64_t> first;  // without it, `last` is the length of a suffix
    std::optional<std::uint64_t> last;
};

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Numbers beyond 64 bits are as good as the largest one.
bool parse_position(std::string_view digits, std::optional<std::uint64_t>& position) {
    if (digits.empty()) return true;
    std::uint64_t value = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return false;
        const auto unit = static_cast<std::uint64_t>(digit - '0');
        value = value > (kEnd - unit) / 10 ? kEnd : value * 10 + unit;
    }
    position = value;
    return true;
}

// RFC 9110 14.1.1: int-range or suffix-range.
std::optional<Specifier> parse_specifier(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    Specifier specifier;
    if (!parse_position(text.substr(0, dash), specifier.first) ||
        !parse_position(text.substr(dash + 1), specifier.last))
        return std::nullopt;
    if (!specifier.first && !specifier.last) return std::nullopt;
    if (specifier.first && specifier.last && *specifier.last < *specifier.first)
        return std::nullopt;
    return specifier;
}

// RFC 9110 14.1.2. nullopt if it is not satisfiable. Precondition: the content is not empty.
std::optional<ByteRange> resolve(const Specifier& specifier, std::uint64_t content_bytes) {
    const std::uint64_t end = content_bytes - 1;
    if (!specifier.first) {
        if (*specifier.last == 0) return std::nullopt;
        return ByteRange{.first = content_bytes - std::min(*specifier.last, content_bytes),
                         .last = end};
    }
    if (*specifier.first > end) return std::nullopt;
    return ByteRange{.first = *specifier.first,
                     .last = std::min(specifier.last.value_or(end), end)};
}

bool are_close(const ByteRange& a, const ByteRange& b) {
    const ByteRange& left = a.first <= b.first ? a : b;
    const ByteRange& right = a.first <= b.first ? b : a;
    return right.first <= left.last || right.first - left.last - 1 <= kRangeGapBytesMax;
}

// RFC 9110 15.3.7.2. A range that has grown may be close to others that it was not close to before.
void add_joined(std::vector<ByteRange>& ranges, ByteRange range) {
    std::size_t place = ranges.size();
    while (true) {
        const auto close = std::ranges::find_if(
            ranges, [&](const ByteRange& other) { return are_close(other, range); });
        if (close == ranges.end()) break;
        range = {.first = std::min(close->first, range.first),
                 .last = std::max(close->last, range.last)};
        place = std::min(place, static_cast<std::size_t>(close - ranges.begin()));
        ranges.erase(close);
    }
    ranges.insert(ranges.begin() + static_cast<std::ptrdiff_t>(place), range);
}

std::optional<std::vector<Specifier>> parse_field(std::string_view field) {
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos ||
        !http::equals_ignoring_case(field.substr(0, equals), "bytes"))
        return std::nullopt;
    std::vector<Specifier> specifiers;
    std::string_view rest = field.substr(equals + 1);
    while (true) {
        const std::size_t comma = rest.find(',');
        const std::string_view element = trim(rest.substr(0, comma));
        // RFC 9110 5.6.1.2: empty elements of a list do not count.
        if (!element.empty()) {
            const auto specifier = parse_specifier(element);
            if (!specifier || specifiers.size() == kRangeSpecifiersMax) return std::nullopt;
            specifiers.push_back(*specifier);
        }
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    if (specifiers.empty()) return std::nullopt;
    return specifiers;
}

}  // namespace

RangeSelection select_ranges(std::string_view field, std::uint64_t content_bytes) {
    using Kind = RangeSelection::Kind;
    const auto specifiers = parse_field(field);
    if (!specifiers) return {.kind = Kind::Whole};
    if (content_bytes == 0) {
        // RFC 9110 14.1.1: of nothing, a suffix is satisfiable, yet no Content-Range can name it.
        const bool has_suffix = std::ranges::any_of(*specifiers, [](const Specifier& specifier) {
            return !specifier.first && *specifier.last > 0;
        });
        return {.kind = has_suffix ? Kind::Whole : Kind::NotSatisfiable};
    }
    RangeSelection selection{.kind = Kind::Partial};
    for (const Specifier& specifier : *specifiers)
        if (const auto range = resolve(specifier, content_bytes))
            add_joined(selection.ranges, *range);
    if (selection.ranges.empty()) return {.kind = Kind::NotSatisfiable};
    if (selection.ranges.size() > kRangesMax) return {.kind = Kind::Whole};
    return selection;
}

}  // namespace draco::cdn
