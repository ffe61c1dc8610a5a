#include "config_table.hpp"

#include "draco/node/config.hpp"
#include "draco/node/nearest.hpp"

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
    ConfigReader(std::string_view name, const ConfigTable& table)
        : name_(name), table_(table), keys_(table.keys) {}

    Result<> read(const toml::table& root) {
        std::vector<std::string_view> sections;
        sections.reserve(table_.sections.size());
        for (const ConfigSection& section : table_.sections) sections.push_back(section.name);
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
        for (Contradiction& each : table_.contradictions()) {
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

    void set_texts(const ConfigKey& key,
                   std::vector<std::string>& member,
                   const toml::node& value) {
        const std::string list =
            "a list of at most " + std::to_string(key.max) + " texts in quotes";
        const toml::array* array = value.as_array();
        if (array == nullptr || array->size() > key.max) return expect(key, value, list);
        member.clear();
        for (const toml::node& item : *array) {
            if (!item.is_string()) return expect(key, item, list);
            const std::string& text = **item.as_string();
            if (const auto objection = key.objection(text); !objection.empty())
                return expect(key, item, "a list of " + std::string(objection));
            member.push_back(text);
        }
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
                } else if constexpr (std::is_same_v<Held, std::vector<std::string>>) {
                    set_texts(key, *member, value);
                } else {
                    set_integer(key, *member, value);
                }
            },
            key.member);
    }

    std::string_view name_;
    const ConfigTable& table_;
    const std::vector<ConfigKey>& keys_;
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

std::string list_text(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) out += (out.size() == 1 ? "" : ", ") + quoted(text);
    return out + ']';
}

std::string value_text(const ConfigMember& member) {
    return std::visit(
        [](const auto* value) -> std::string {
            using Held = std::remove_const_t<std::remove_pointer_t<decltype(value)>>;
            if constexpr (std::is_same_v<Held, bool>) {
                return *value ? "true" : "false";
            } else if constexpr (std::is_same_v<Held, std::string>) {
                return quoted(*value);
            } else if constexpr (std::is_same_v<Held, std::vector<std::string>>) {
                return list_text(*value);
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

Result<> read_config_table(std::string_view text, std::string_view name, const ConfigTable& table) {
    if (text.size() > kConfigBytesMax)
        return refuse(name, {}, "longer than " + std::to_string(kConfigBytesMax) + " bytes");
    DRACO_TRY(root, parse_toml(text, name));
    return ConfigReader(name, table).read(root);
}

std::string render_config_table(std::string_view opening, const ConfigTable& table) {
    std::string out(opening);
    for (const ConfigSection& section : table.sections) {
        out += "\n" + comment_lines(section.comment) + "[" + std::string(section.name) + "]\n";
        for (const ConfigKey& key : table.keys) {
            if (key.section != section.name) continue;
            out += comment_lines(key.comment) + std::string(key.name) + " = " +
                   value_text(key.member) + "\n";
        }
    }
    return out;
}

}  // namespace draco::node
