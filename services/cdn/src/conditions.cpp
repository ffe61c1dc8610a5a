#include "conditions.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace draco::cdn {
namespace {

constexpr std::array<std::string_view, 4> kDecidingFields = {
    "If-Match", "If-None-Match", "If-Range", "Range"};

enum class Comparison : std::uint8_t { Strong, Weak };

// RFC 9110 8.8.3: visible characters and what is beyond ASCII, without the quote.
bool is_tag_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x21 && byte != '"' && byte != 0x7F;
}

struct Tag {
    bool is_weak = false;
    std::string_view opaque;  // with its quotes
};

// Takes one entity tag from the front.
std::optional<Tag> take_tag(std::string_view& text) {
    Tag tag;
    if (text.starts_with("W/")) {
        tag.is_weak = true;
        text.remove_prefix(2);
    }
    if (!text.starts_with('"')) return std::nullopt;
    std::size_t end = 1;
    while (end < text.size() && is_tag_character(text[end])) ++end;
    if (end == text.size() || text[end] != '"') return std::nullopt;
    tag.opaque = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    return tag;
}

void skip(std::string_view& text, std::string_view characters) {
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

// RFC 9110 8.8.3.2.
bool matches(const Tag& tag, std::string_view etag, Comparison comparison) {
    return tag.opaque == etag && (!tag.is_weak || comparison == Comparison::Weak);
}

// What is no list of entity tags matches nothing from there on.
bool list_matches(std::string_view list, std::string_view etag, Comparison comparison) {
    skip(list, " \t");
    if (list == "*") return true;
    while (true) {
        skip(list, " \t,");
        const auto tag = take_tag(list);
        if (!tag) return false;
        skip(list, " \t");
        if (!list.empty() && !list.starts_with(',')) return false;
        if (matches(*tag, etag, comparison)) return true;
    }
}

// Several lines of one name are one list (RFC 9110 5.3).
bool any_matches(const http::Fields& fields,
                 std::string_view name,
                 std::string_view etag,
                 Comparison comparison) {
    for (const http::Field& field : fields.list)
        if (http::equals_ignoring_case(field.name, name) &&
            list_matches(field.value, etag, comparison))
            return true;
    return false;
}

}  // namespace

http::Fields deciding_fields(std::span<const sdk::FieldView> fields) {
    http::Fields kept;
    for (const sdk::FieldView& field : fields) {
        const bool decides = std::ranges::any_of(kDecidingFields, [&](std::string_view name) {
            return name.size() == field.name.size() && http::equals_ignoring_case(name, field.name);
        });
        if (decides) kept.add(std::string(field.name), std::string(field.value));
    }
    return kept;
}

Condition evaluate_conditions(const http::Fields& fields, std::string_view etag) {
    if (fields.find("If-Match") && !any_matches(fields, "If-Match", etag, Comparison::Strong))
        return Condition::PreconditionFailed;
    if (any_matches(fields, "If-None-Match", etag, Comparison::Weak)) return Condition::NotModified;
    return Condition::Proceed;
}

bool may_send_ranges(const http::Fields& fields, std::string_view etag) {
    if (fields.count("Range") != 1) return false;
    const auto if_range = fields.find("If-Range");
    if (!if_range) return true;
    std::string_view text = *if_range;
    const auto tag = take_tag(text);
    return tag && text.empty() && matches(*tag, etag, Comparison::Strong);
}

}  // namespace draco::cdn
