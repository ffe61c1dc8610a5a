#include "query.hpp"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <string>
#include <vector>

namespace draco::publisher {
namespace {

struct Pair {
    std::string_view key;
    std::optional<std::string_view> value;
};

std::vector<Pair> pairs_of(std::string_view query) {
    std::vector<Pair> pairs;
    for (const auto part : std::views::split(query, '&')) {
        const std::string_view text(part.begin(), part.end());
        if (text.empty()) continue;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos)
            pairs.push_back({.key = text, .value = std::nullopt});
        else
            pairs.push_back({.key = text.substr(0, equals), .value = text.substr(equals + 1)});
    }
    return pairs;
}

}  // namespace

Result<> check_query(std::string_view query, std::initializer_list<std::string_view> known) {
    std::vector<std::string_view> seen;
    for (const Pair& pair : pairs_of(query)) {
        const std::string key(pair.key.substr(0, 64));
        if (!pair.value) return fail(Errc::InvalidArgument, "'" + key + "' has no value");
        if (std::ranges::find(known, pair.key) == known.end())
            return fail(Errc::InvalidArgument, "there is no parameter '" + key + "' here");
        if (std::ranges::find(seen, pair.key) != seen.end())
            return fail(Errc::InvalidArgument, "the parameter '" + key + "' comes twice");
        seen.push_back(pair.key);
    }
    return {};
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view key) {
    for (const Pair& pair : pairs_of(query))
        if (pair.key == key) return pair.value;
    return std::nullopt;
}

Result<std::uint64_t> query_number(std::string_view query,
                                   std::string_view key,
                                   std::uint64_t otherwise) {
    const auto text = query_value(query, key);
    if (!text) return otherwise;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size())
        return fail(Errc::InvalidArgument, "'" + std::string(key) + "' is no decimal number");
    return value;
}

Result<bool> query_flag(std::string_view query, std::string_view key) {
    const auto text = query_value(query, key);
    if (!text || *text == "false") return false;
    if (*text == "true") return true;
    return fail(Errc::InvalidArgument, "'" + std::string(key) + "' is neither true nor false");
}

}  // namespace draco::publisher
