#include "draco/node/config.hpp"

#include "draco/node/nearest.hpp"

#include "config_keys.hpp"
#include "disk_text.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

// toml++ 3.3 asserts things that a file can violate ("[!]"). Here such a file is one that does not
// parse, in every kind of build.
namespace draco::node {

struct TomlAssertion final : std::exception {
    const char* what() const noexcept override { return "toml++: assertion failed"; }
};

}  // namespace draco::node

#undef NDEBUG
#define TOML_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : throw ::draco::node::TomlAssertion())
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace draco::node {
namespace {

// file:line: what
std::string placed(std::string_view name, std::size_t line, std::string_view what) {
    std::string where(name);
    if (line != 0) where += ":" + std::to_string(line);
    return where + ": " + std::string(what);
}

std::unexpected<Error> refuse(std::string_view name,
                              const toml::source_position& at,
                              const std::string& what) {
    return fail(Errc::InvalidArgument, placed(name, at.line, what));
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
    if (const auto near = nearest(word, known))
        return "; did you mean '" + std::string(*near) + "'?";
    std::string all;
    for (const std::string_view each : known) all += (all.empty() ? "" : ", ") + std::string(each);
    return "; there are: " + all;
}

// Names from the file, as they may be shown.
std::string shown(std::string_view text) {
    constexpr std::size_t kShownBytesMax = 64;
    std::string out;
    for (const char c : text.substr(0, kShownBytesMax)) out += c >= 0x20 && c < 0x7F ? c : '?';
    return text.size() > kShownBytesMax ? out + "..." : out;
}

// Takes over what is right, and keeps all that is not.
class ConfigReader {
public:
    ConfigReader(std::string_view name, NodeConfig& config)
        : name_(name), config_(config), keys_(config_keys(config)) {}

    Result<> read(const toml::table& root) {
        std::vector<std::string_view> sections;
        for (const ConfigSection& section : config_sections()) sections.push_back(section.name);
        for (const auto& [key, value] : root) {
            const auto at = key.source().begin;
            if (std::ranges::find(sections, key.str()) == sections.end())
                object(
                    at,
                    "unknown section [" + shown(key.str()) + "]" + suggestion(key.str(), sections));
            else if (!value.is_table())
                object(at,
                       "'" + shown(key.str()) + "' is a section: write [" + shown(key.str()) +
                           "] on a line of its own");
            else
                read_section(key.str(), *value.as_table());
        }
        // Of values that are right one by one.
        if (mistakes_.empty()) read_together();
        return verdict();
    }

private:
    void object(const toml::source_position& at, std::string what) {
        mistakes_.emplace(at.line, std::move(what));
    }

    void read_together() {
        for (Contradiction& each : contradictions(config_)) {
            std::size_t line = 0;
            for (const Contradiction::Key& key : each.keys)
                if (const auto set = lines_.find({key.section, key.name}); set != lines_.end())
                    line = std::max(line, set->second);
            mistakes_.emplace(line, std::move(each.what));
        }
    }

    Result<> verdict() {
        if (mistakes_.empty()) return {};
        std::string all;
        for (const auto& [line, what] : mistakes_ | std::views::take(kConfigMistakesTold))
            all += (all.empty() ? "" : "\n") + placed(name_, line, what);
        if (mistakes_.size() > kConfigMistakesTold)
            all += "\nand " + std::to_string(mistakes_.size() - kConfigMistakesTold) + " more";
        return fail(Errc::InvalidArgument, std::move(all));
    }

    void read_section(std::string_view section, const toml::table& table) {
        for (const auto& [key, value] : table) {
            const auto known = std::ranges::find_if(keys_, [&](const ConfigKey& candidate) {
                return candidate.section == section && candidate.name == key.str();
            });
            if (known == keys_.end()) {
                object(key.source().begin,
                       "unknown key '" + shown(key.str()) + "' in [" + std::string(section) + "]" +
                           suggestion(key.str(), names_in(section)));
                continue;
            }
            lines_[{known->section, known->name}] = value.source().begin.line;
            set(*known, value);
        }
    }

    std::vector<std::string_view> names_in(std::string_view section) const {
        std::vector<std::string_view> names;
        for (const ConfigKey& key : keys_)
            if (key.section == section) names.push_back(key.name);
        return names;
    }

    void expect(const ConfigKey& key, const toml::node& value, const std::string& what) {
        object(value.source().begin,
               "[" + std::string(key.section) + "] " + std::string(key.name) + " must be " + what);
    }

    void set_bool(const ConfigKey& key, bool& member, const toml::node& value) {
        if (!value.is_boolean()) return expect(key, value, "true or false");
        member = **value.as_boolean();
    }

    void set_text(const ConfigKey& key, std::string& member, const toml::node& value) {
        if (!value.is_string()) return expect(key, value, "text in quotes");
        const std::string& text = **value.as_string();
        if (const auto objection = key.objection(text); !objection.empty())
            return expect(key, value, std::string(objection));
        member = text;
    }

    template <class Integer>
    void set_integer(const ConfigKey& key, Integer& member, const toml::node& value) {
        const std::string range =
            "a whole number from " + std::to_string(key.min) + " to " + std::to_string(key.max);
        if (!value.is_integer()) return expect(key, value, range);
        const std::int64_t number = **value.as_integer();
        if (number < 0 || static_cast<std::uint64_t>(number) < key.min ||
            static_cast<std::uint64_t>(number) > key.max)
            return expect(key, value, range + ", not " + std::to_string(number));
        member = static_cast<Integer>(number);
    }

    void set(const ConfigKey& key, const toml::node& value) {
        std::visit(
            [&](auto* member) {
                using Held = std::remove_pointer_t<decltype(member)>;
                if constexpr (std::is_same_v<Held, bool>) {
                    set_bool(key, *member, value);
                } else if constexpr (std::is_same_v<Held, std::string>) {
                    set_text(key, *member, value);
                } else {
                    set_integer(key, *member, value);
                }
            },
            key.member);
    }

    std::string_view name_;
    const NodeConfig& config_;
    std::vector<ConfigKey> keys_;
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> lines_;  // of what is set
    std::multimap<std::size_t, std::string> mistakes_;  // by line; 0: no line says it
};

Result<toml::table> parse_toml(std::string_view text, std::string_view name) {
    try {
        toml::parse_result parsed = toml::parse(text);
        if (parsed) return std::move(parsed).table();
        return refuse(name,
                      parsed.error().source().begin,
                      "not TOML: " + std::string(parsed.error().description()));
    } catch (const TomlAssertion&) {
        return refuse(name, {}, "not TOML: there is a bracket or key that makes no sense");
    }
}

// TOML's basic string: what a path or host may hold needs only these escapes.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string value_text(const ConfigMember& member) {
    return std::visit(
        [](const auto* value) -> std::string {
            using Held = std::remove_const_t<std::remove_pointer_t<decltype(value)>>;
            if constexpr (std::is_same_v<Held, bool>) {
                return *value ? "true" : "false";
            } else if constexpr (std::is_same_v<Held, std::string>) {
                return quoted(*value);
            } else {
                return std::to_string(*value);
            }
        },
        member);
}

std::string comment_lines(std::string_view comment) {
    std::string out = "# ";
    for (const char c : comment) out += c == '\n' ? std::string("\n# ") : std::string(1, c);
    return out + '\n';
}

}  // namespace

Result<NodeConfig> parse_config(std::string_view text, std::string_view name) {
    if (text.size() > kConfigBytesMax)
        return refuse(name, {}, "longer than " + std::to_string(kConfigBytesMax) + " bytes");
    DRACO_TRY(table, parse_toml(text, name));
    NodeConfig config;
    DRACO_TRY_VOID(ConfigReader(name, config).read(table));
    return config;
}

std::string render_config(const NodeConfig& config) {
    NodeConfig copy = config;
    const auto keys = config_keys(copy);
    std::string out =
        "# The configuration of a Draco node. Paths are relative to the folder of this file;\n"
        "# what is left out has the value that draco init writes.\n";
    for (const ConfigSection& section : config_sections()) {
        out += "\n" + comment_lines(section.comment) + "[" + std::string(section.name) + "]\n";
        for (const ConfigKey& key : keys) {
            if (key.section != section.name) continue;
            out += comment_lines(key.comment) + std::string(key.name) + " = " +
                   value_text(key.member) + "\n";
        }
    }
    return out;
}

Result<types::NodeEndpoints> endpoints_of(const NodeConfig& config) {
    types::NodeEndpoints endpoints;
    DRACO_TRY(host, decltype(endpoints.host)::make(config.node.advertised_host));
    endpoints.host = std::move(host);
    endpoints.link_port = config.links.port;
    endpoints.http_port = config.http.port;
    endpoints.session_port = config.session.port;
    endpoints.rpc_port = config.rpc.port;
    return endpoints;
}

Result<NodeConfig> load_config(Disk& home, std::string_view name) {
    DRACO_TRY(text, read_text(home, kConfigFile, kConfigBytesMax));
    return parse_config(text, name);
}

Result<> save_config(Disk& home, const NodeConfig& config) {
    return replace_text(home, kConfigFile, render_config(config));
}

}  // namespace draco::node
