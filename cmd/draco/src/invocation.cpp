#include "invocation.hpp"

#include "shown_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

void append_json(std::string& out, const json::value& value);

// As people and every parser read it, and never 4.4E1.
void append_number(std::string& out, double number) {
    std::array<char, 400> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    out += error == std::errc() && std::isfinite(number) ? std::string_view(text.data(), end)
                                                         : std::string_view("null");
}

void append_members(std::string& out, const json::object& object) {
    bool is_first = true;
    for (const auto& member : object) {
        out += std::exchange(is_first, false) ? "" : ",";
        out += json::serialize(json::string(member.key())) + ":";
        append_json(out, member.value());
    }
}

void append_json(std::string& out, const json::value& value) {
    if (const auto* object = value.if_object()) {
        out += '{';
        append_members(out, *object);
        out += '}';
    } else if (const auto* array = value.if_array()) {
        out += '[';
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (i != 0) out += ',';
            append_json(out, (*array)[i]);
        }
        out += ']';
    } else if (value.is_double()) {
        append_number(out, value.get_double());
    } else {
        out += json::serialize(value);
    }
}

std::string json_text(const json::value& value) {
    std::string out;
    append_json(out, value);
    return out;
}

std::string scalar_text(const json::value& value) {
    if (const auto* text = value.if_string()) return shown({text->data(), text->size()});
    if (value.is_null()) return "-";
    return json_text(value);
}

bool is_scalar(const json::value& value) {
    return !value.is_object() && !value.is_array();
}

void print_members(const json::value& value, int indent) {
    if (const auto* object = value.if_object()) {
        std::size_t width = 0;
        for (const auto& member : *object)
            if (is_scalar(member.value())) width = std::max(width, member.key().size());
        for (const auto& member : *object) {
            const std::string key = shown(member.key());
            const int key_length = static_cast<int>(key.size());
            if (is_scalar(member.value())) {
                std::printf("%*s%-*.*s  %s\n",
                            indent,
                            "",
                            static_cast<int>(width),
                            key_length,
                            key.c_str(),
                            scalar_text(member.value()).c_str());
                continue;
            }
            std::printf("%*s%.*s\n", indent, "", key_length, key.c_str());
            print_members(member.value(), indent + 2);
        }
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array) print_members(element, indent);
    } else {
        std::printf("%*s%s\n", indent, "", scalar_text(value).c_str());
    }
}

bool is_number(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

std::string shown_command(const Invocation& invocation) {
    return invocation.command.empty() ? "draco" : "draco " + invocation.command;
}

void print_failure(const Invocation& invocation, std::string_view code, std::string_view message) {
    const std::string text = shown_lines(message);
    if (!invocation.json) {
        std::fprintf(stderr, "%s: %s\n", shown_command(invocation).c_str(), text.c_str());
        return;
    }
    const json::object failure{{"code", code}, {"command", invocation.command}, {"message", text}};
    std::fprintf(stderr, "%s\n", json::serialize(json::object{{"error", failure}}).c_str());
}

}  // namespace

Result<std::string> home_path(const Invocation& invocation) {
    if (!invocation.home.empty()) return invocation.home;
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0')
        return fail(Errc::InvalidArgument,
                    "there is no home: give --home DIR, or set DRACO_HOME or HOME");
    return std::string(home) + "/.draco";
}

void print_value(const Invocation& invocation, const json::value& value) {
    if (invocation.json)
        std::puts(as_utf8(json_text(value)).c_str());
    else
        print_members(value, 0);
}

void print_table(const std::vector<std::string>& columns,
                 std::vector<std::vector<std::string>> rows) {
    for (auto& row : rows)
        for (std::string& cell : row) cell = shown(cell);
    std::vector<std::size_t> widths;
    widths.reserve(columns.size());
    std::vector<bool> numeric(columns.size(), true);
    for (const auto& column : columns) widths.push_back(columns_of(column));
    for (const auto& row : rows)
        for (std::size_t i = 0; i < columns.size(); ++i) {
            widths[i] = std::max(widths[i], columns_of(row[i]));
            numeric[i] = numeric[i] && (is_number(row[i]) || row[i] == "-");
        }
    const auto print_row = [&](const std::vector<std::string>& row) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - columns_of(row[i]), ' ');
            line += numeric[i] ? padding + row[i] : row[i] + padding;
            line += "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        std::puts(line.c_str());
    };
    print_row(columns);
    for (const auto& row : rows) print_row(row);
}

void print_error(const Invocation& invocation, const Error& error) {
    print_failure(invocation, to_string(error.code), error.context);
}

void print_usage_error(const Invocation& invocation, const std::string& what) {
    print_failure(invocation, "Usage", what + "; see " + shown_command(invocation) + " --help");
}

int exit_status(const Invocation& invocation, const Result<>& outcome) {
    if (!outcome) print_error(invocation, outcome.error());
    if (std::fflush(stdout) != 0) {
        print_error(invocation, {Errc::Io, "cannot write the result to standard output"});
        return 1;
    }
    return outcome ? 0 : 1;
}

}  // namespace draco
