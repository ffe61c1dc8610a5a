#include "strict_json.hpp"

#include "draco/node/nearest.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdint>
#include <set>

namespace draco::node {
namespace {

// Sees the events of a parse and stops it at a name that its object has already.
struct UniqueNames {
    // NOLINTBEGIN(readability-identifier-naming): basic_parser reads these names.
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;
    // NOLINTEND(readability-identifier-naming)

    using Code = boost::json::error_code;
    using Text = boost::json::string_view;

    std::vector<std::set<std::string, std::less<>>> open;  // the names of each open object
    std::string name;
    std::string twice;

    bool on_document_begin(Code& /*code*/) { return true; }

    bool on_document_end(Code& /*code*/) { return true; }

    bool on_object_begin(Code& /*code*/) {
        open.emplace_back();
        return true;
    }

    bool on_object_end(std::size_t /*count*/, Code& /*code*/) {
        open.pop_back();
        return true;
    }

    bool on_array_begin(Code& /*code*/) { return true; }

    bool on_array_end(std::size_t /*count*/, Code& /*code*/) { return true; }

    bool on_key_part(Text part, std::size_t /*size*/, Code& /*code*/) {
        name.append(part.data(), part.size());
        return true;
    }

    bool on_key(Text part, std::size_t /*size*/, Code& code) {
        name.append(part.data(), part.size());
        if (!open.back().insert(name).second) {
            twice = name;
            code = boost::json::error::syntax;
            return false;
        }
        name.clear();
        return true;
    }

    bool on_string_part(Text /*part*/, std::size_t /*size*/, Code& /*code*/) { return true; }

    bool on_string(Text /*part*/, std::size_t /*size*/, Code& /*code*/) { return true; }

    bool on_number_part(Text /*part*/, Code& /*code*/) { return true; }

    bool on_int64(std::int64_t /*number*/, Text /*text*/, Code& /*code*/) { return true; }

    bool on_uint64(std::uint64_t /*number*/, Text /*text*/, Code& /*code*/) { return true; }

    bool on_double(double /*number*/, Text /*text*/, Code& /*code*/) { return true; }

    bool on_bool(bool /*value*/, Code& /*code*/) { return true; }

    bool on_null(Code& /*code*/) { return true; }

    bool on_comment_part(Text /*part*/, Code& /*code*/) { return true; }

    bool on_comment(Text /*part*/, Code& /*code*/) { return true; }
};

std::string shown(std::string_view text) {
    constexpr std::size_t kShownBytesMax = 64;
    std::string out;
    for (const char c : text.substr(0, kShownBytesMax)) out += c >= 0x20 && c < 0x7F ? c : '?';
    return text.size() > kShownBytesMax ? out + "..." : out;
}

}  // namespace

Result<boost::json::value> parse_strict_json(std::string_view text, std::string_view name) {
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::json::basic_parser<UniqueNames> parser(options);
    boost::json::error_code code;
    const std::size_t consumed = parser.write_some(false, text.data(), text.size(), code);
    if (!code && consumed < text.size()) code = boost::json::error::extra_data;
    if (code) {
        const auto line =
            1 +
            std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(consumed), '\n');
        const std::string what = parser.handler().twice.empty()
                                     ? "not JSON: " + code.message()
                                     : "'" + shown(parser.handler().twice) + "' comes twice";
        return fail(Errc::InvalidArgument,
                    std::string(name) + ":" + std::to_string(line) + ": " + what);
    }
    boost::json::value value = boost::json::parse(text, code, {}, options);
    if (code)
        return fail(Errc::InvalidArgument, std::string(name) + ": not JSON: " + code.message());
    return value;
}

Result<> JsonPlace::expect_members(std::initializer_list<std::string_view> names) const {
    const auto* object = value_->if_object();
    if (object == nullptr) return expected("an object in braces");
    for (const auto& member : *object) {
        const std::string_view given(member.key().data(), member.key().size());
        if (std::ranges::find(names, given) != names.end()) continue;
        const auto near = nearest(given, std::span(names.begin(), names.size()));
        return fail(Errc::InvalidArgument,
                    std::string(name_) + ": unknown member '" + shown(given) + "' in " +
                        (path_.empty() ? "the file" : path_) +
                        (near ? "; did you mean '" + std::string(*near) + "'?" : ""));
    }
    for (const std::string_view needed : names)
        if (!object->contains(boost::json::string_view(needed.data(), needed.size())))
            return fail(Errc::InvalidArgument,
                        std::string(name_) + ": " + (path_.empty() ? "the file" : path_) +
                            " lacks '" + std::string(needed) + "'");
    return {};
}

JsonPlace JsonPlace::member(std::string_view member_name) const {
    const auto& found =
        value_->as_object().at(boost::json::string_view(member_name.data(), member_name.size()));
    return {found,
            name_,
            path_.empty() ? std::string(member_name) : path_ + "." + std::string(member_name)};
}

Result<std::vector<JsonPlace>> JsonPlace::elements(std::size_t count_max) const {
    const auto* array = value_->if_array();
    if (array == nullptr || array->size() > count_max)
        return expected("a list of at most " + std::to_string(count_max) + " elements");
    std::vector<JsonPlace> places;
    places.reserve(array->size());
    for (const auto& element : *array)
        places.push_back(
            JsonPlace(element, name_, path_ + "[" + std::to_string(places.size()) + "]"));
    return places;
}

Result<std::string_view> JsonPlace::text() const {
    const auto* text = value_->if_string();
    if (text == nullptr) return expected("text in quotes");
    return std::string_view(text->data(), text->size());
}

Result<std::uint64_t> JsonPlace::integer(std::uint64_t min, std::uint64_t max) const {
    std::optional<std::uint64_t> number;
    if (const auto* positive = value_->if_uint64()) number = *positive;
    if (const auto* any = value_->if_int64(); any != nullptr && *any >= 0)
        number = static_cast<std::uint64_t>(*any);
    if (!number || *number < min || *number > max)
        return expected("a whole number from " + std::to_string(min) + " to " +
                        std::to_string(max));
    return *number;
}

std::unexpected<Error> JsonPlace::expected(const std::string& what) const {
    return fail(
        Errc::InvalidArgument,
        std::string(name_) + ": " + (path_.empty() ? "the file" : path_) + " must be " + what);
}

}  // namespace draco::node
