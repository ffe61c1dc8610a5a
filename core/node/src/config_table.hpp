#pragma once
// A configuration as a table of sections and keys: what reads a TOML file into the members that the
// keys point to, and what writes it. What the file has and the table has not is refused.

#include "draco/base/result.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace draco::node {

// Where the value lives.
using ConfigMember = std::variant<bool*,
                                  std::uint16_t*,
                                  std::uint32_t*,
                                  std::uint64_t*,
                                  std::string*,
                                  std::vector<std::string>*>;

struct ConfigKey {
    std::string_view section;
    std::string_view name;
    std::string_view comment;
    ConfigMember member;
    // Integers; of a list, how many items it may have.
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    // Text, or an item of a list: empty if it is acceptable, else what is expected.
    std::string_view (*objection)(std::string_view text) = nullptr;
};

using ConfigKeys = std::vector<ConfigKey>;

struct ConfigSection {
    std::string_view name;
    std::string_view comment;
};

// What no single key can tell.
struct Contradiction {
    struct Key {
        std::string_view section;
        std::string_view name;
    };

    std::array<Key, 2> keys;
    std::string what;
};

struct ConfigTable {
    const std::vector<ConfigSection>& sections;
    ConfigKeys keys;
    // Looked for when each value is right by itself.
    std::function<std::vector<Contradiction>()> contradictions;
};

// Keys that the file leaves out are untouched. InvalidArgument with all mistakes, as parse_config.
Result<> read_config_table(std::string_view text, std::string_view name, const ConfigTable& table);

// `opening` and then all sections and keys with their comments.
std::string render_config_table(std::string_view opening, const ConfigTable& table);

}  // namespace draco::node
