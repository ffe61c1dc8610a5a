#include "parameters.hpp"

#include "json_values.hpp"

#include <algorithm>
#include <limits>

namespace draco::rpc {
namespace {

namespace json = boost::json;

std::string found_text(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return value.get_bool() ? "true" : "false";
        case json::kind::int64:
            return std::to_string(value.get_int64());
        case json::kind::uint64:
            return std::to_string(value.get_uint64());
        case json::kind::double_:
            return "a number with a fraction, or beyond 64 bits";
        case json::kind::string:
            return "\"" + shown(value.get_string()) + "\"";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
    }
    return "nothing";
}

std::string names_of(std::span<const ParameterSpec> specs) {
    if (specs.empty()) return "no parameters";
    std::string names;
    for (const ParameterSpec& spec : specs) {
        if (!names.empty()) names += ", ";
        names += spec.name;
    }
    return names;
}

std::optional<std::uint64_t> as_number(const json::value& value) {
    if (const auto* const number = value.if_uint64()) return *number;
    const auto* const number = value.if_int64();
    if (number == nullptr || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

std::string_view without_prefix(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    return text;
}

}  // namespace

std::string_view type_name(ParameterType type) {
    switch (type) {
        case ParameterType::Address:
            return "address";
        case ParameterType::NodeKey:
            return "node key";
        case ParameterType::Hash:
            return "hash";
        case ParameterType::Number:
            return "number";
        case ParameterType::BlockId:
            return "height or \"latest\"";
        case ParameterType::Hex:
            return "hex";
        case ParameterType::Text:
            return "text";
        case ParameterType::Options:
            return "object";
    }
    return "anything";
}

Outcome<Parameters> Parameters::bind(std::span<const ParameterSpec> specs,
                                     const json::value& given) {
    Parameters bound(specs);
    if (const auto* const object = given.if_object()) {
        DRACO_TRY(by_name, bind_by_name(specs, *object));
        bound = std::move(by_name);
    } else if (const auto* const array = given.if_array()) {
        if (array->size() > specs.size())
            return bad_parameter(
                "#" + std::to_string(specs.size() + 1),
                "at most " + std::to_string(specs.size()) + " (" + names_of(specs) + ")",
                std::to_string(array->size()) + " parameters");
        for (std::size_t i = 0; i < array->size(); ++i)
            if (!(*array)[i].is_null()) bound.values_[i] = &(*array)[i];
    }
    for (std::size_t i = 0; i < specs.size(); ++i)
        if (specs[i].required && bound.values_[i] == nullptr)
            return bad_parameter(
                specs[i].name, "a value (" + std::string(type_name(specs[i].type)) + ")", "none");
    return bound;
}

Outcome<Parameters> Parameters::bind_by_name(std::span<const ParameterSpec> specs,
                                             const json::object& given) {
    Parameters bound(specs);
    for (const auto& [name, value] : given) {
        const auto spec = std::ranges::find(specs, std::string_view(name), &ParameterSpec::name);
        if (spec == specs.end())
            return bad_parameter(name, names_of(specs), "a parameter of this name");
        if (!value.is_null())
            bound.values_[static_cast<std::size_t>(spec - specs.begin())] = &value;
    }
    return bound;
}

std::unexpected<RpcError> Parameters::bad(std::size_t place, const std::string& expected) const {
    return bad_parameter(specs_[place].name, expected, found_text(*values_[place]));
}

Outcome<types::Address> Parameters::address(std::size_t place) const {
    const std::string expected = "an address, 0x and 40 hex digits";
    if (!values_[place]->is_string()) return bad(place, expected);
    const auto parsed = crypto::parse_ethereum_address(values_[place]->get_string());
    if (parsed) return *parsed;
    return bad(place,
               parsed.error().code == Errc::Corrupt
                   ? "an address with a right checksum (" + parsed.error().context + ")"
                   : expected);
}

Outcome<types::NodeKey> Parameters::node_key(std::size_t place) const {
    if (values_[place]->is_string())
        if (const auto key = parse_node_key(values_[place]->get_string())) return *key;
    return bad(place, "a node key, 64 hex digits or base58 of 32 bytes");
}

Outcome<types::TransactionHash> Parameters::hash(std::size_t place) const {
    if (values_[place]->is_string())
        if (auto hash = fixed_from_hex<types::TransactionHash>(
                without_prefix(values_[place]->get_string())))
            return *hash;
    return bad(place, "a hash, 64 hex digits");
}

Outcome<std::uint64_t> Parameters::number(std::size_t place, std::uint64_t max) const {
    const auto number = as_number(*values_[place]);
    if (!number || *number > max)
        return bad(place, "a whole number from 0 to " + std::to_string(max));
    return *number;
}

Outcome<std::optional<std::uint64_t>> Parameters::block_id(std::size_t place) const {
    if (values_[place]->is_string() && values_[place]->get_string() == "latest")
        return std::nullopt;
    if (const auto number = as_number(*values_[place])) return number;
    return bad(place, "a block's height or \"latest\"");
}

Outcome<Bytes> Parameters::hex(std::size_t place, std::size_t bytes_max) const {
    if (!values_[place]->is_string()) return bad(place, "a string of hex digits");
    auto bytes = from_hex(without_prefix(values_[place]->get_string()), bytes_max);
    if (bytes) return *std::move(bytes);
    return bad(
        place,
        "hex of at most " + std::to_string(bytes_max) + " bytes (" + bytes.error().context + ")");
}

Outcome<std::string_view> Parameters::text(std::size_t place) const {
    if (!values_[place]->is_string()) return bad(place, "a string");
    return std::string_view(values_[place]->get_string());
}

Outcome<bool> Parameters::option(std::size_t place, std::string_view name, bool otherwise) const {
    if (!has(place)) return otherwise;
    const auto* const value = values_[place]->get_object().if_contains(name);
    if (value == nullptr || value->is_null()) return otherwise;
    if (!value->is_bool())
        return bad_parameter(std::string(specs_[place].name) + "." + std::string(name),
                             "true or false",
                             found_text(*value));
    return value->get_bool();
}

Outcome<std::uint64_t> Parameters::option(std::size_t place,
                                          std::string_view name,
                                          std::uint64_t otherwise,
                                          std::uint64_t max) const {
    if (!has(place)) return otherwise;
    const auto* const value = values_[place]->get_object().if_contains(name);
    if (value == nullptr || value->is_null()) return otherwise;
    const auto number = as_number(*value);
    if (!number || *number > max)
        return bad_parameter(std::string(specs_[place].name) + "." + std::string(name),
                             "a whole number from 0 to " + std::to_string(max),
                             found_text(*value));
    return *number;
}

Outcome<void> Parameters::check_options(std::size_t place,
                                        std::span<const std::string_view> known) const {
    if (!has(place)) return {};
    const auto* const object = values_[place]->if_object();
    if (object == nullptr) return bad(place, "an object");
    for (const auto& member : *object)
        if (std::ranges::find(known, std::string_view(member.key())) == known.end())
            return bad_parameter(std::string(specs_[place].name) + "." + shown(member.key()),
                                 "no option of this name",
                                 found_text(member.value()));
    return {};
}

}  // namespace draco::rpc
