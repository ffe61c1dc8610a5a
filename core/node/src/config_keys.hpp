#pragma once
// The keys of config.toml, in its order: what each is called, may be and means.

#include "draco/node/config.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace draco::node {

// Where the value lives in a NodeConfig.
using ConfigMember =
    std::variant<bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*, std::string*>;

struct ConfigKey {
    std::string_view section;
    std::string_view name;
    std::string_view comment;
    ConfigMember member;
    // Integers.
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    // Text: nullopt-like empty message if it is acceptable, else what is expected.
    std::string_view (*objection)(std::string_view text) = nullptr;
};

struct ConfigSection {
    std::string_view name;
    std::string_view comment;
};

const std::vector<ConfigSection>& config_sections();
// Bound to `config`, which outlives the result.
std::vector<ConfigKey> config_keys(NodeConfig& config);

// What no single key can tell.
struct Contradiction {
    struct Key {
        std::string_view section;
        std::string_view name;
    };

    std::array<Key, 2> keys;
    std::string what;
};

std::vector<Contradiction> contradictions(const NodeConfig& config);

}  // namespace draco::node
