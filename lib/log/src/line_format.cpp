#include "draco/log/line_format.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace draco::log {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kCut = "...";
constexpr std::uint32_t kReplacement = 0xFFFD;
constexpr std::size_t kEscapeBytesMax = 6;  // \uXXXX
// A line shorter than this takes one more field, key and value, of any length.
constexpr std::size_t kFieldFits =
    kLineBytesMax - 2 * (kValueBytesMax * kEscapeBytesMax + kCut.size() + 4);

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:/+@,").contains(c);
}

template <class Number>
void append_number(std::string& to, Number value) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    to.append(digits.data(), end.ptr);
}

// --- text ---

void append_escaped(std::string& to, char c) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
        case '"':
            to += "\\\"";
            return;
        case '\\':
            to += "\\\\";
            return;
        case '\n':
            to += "\\n";
            return;
        case '\r':
            to += "\\r";
            return;
        case '\t':
            to += "\\t";
            return;
        default:
            break;
    }
    if (byte >= 0x20 && byte < 0x7F) {
        to += c;
        return;
    }
    to += "\\x";
    to += kHexDigits[byte >> 4U];
    to += kHexDigits[byte & 0xFU];
}

void append_quoted(std::string& to, std::string_view text, bool cut) {
    to += '"';
    for (const char c : text) append_escaped(to, c);
    if (cut) to += kCut;
    to += '"';
}

void append_text_value(std::string& to, std::string_view text) {
    const bool cut = text.size() > kValueBytesMax;
    if (cut) text = text.substr(0, kValueBytesMax);
    bool plain = !text.empty() && !cut;
    for (const char c : text) plain = plain && is_plain(c);
    if (plain)
        to += text;
    else
        append_quoted(to, text, cut);
}

// Words with spaces between them, which is what a message is.
void append_text_message(std::string& to, std::string_view text) {
    const bool cut = text.size() > kValueBytesMax;
    if (cut) text = text.substr(0, kValueBytesMax);
    bool plain = !cut;
    for (const char c : text) plain = plain && c >= 0x20 && c < 0x7F && c != '=' && c != '"';
    if (plain)
        to += text;
    else
        append_quoted(to, text, cut);
}

// --- JSON ---

struct CodePoint {
    std::uint32_t value;
    std::size_t bytes;
};

// RFC 3629; a byte that begins no valid sequence counts as one replacement character.
CodePoint decode_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {first, 1};
    std::size_t length = 0;
    if (first >= 0xC2 && first < 0xE0) length = 2;
    if (first >= 0xE0 && first < 0xF0) length = 3;
    if (first >= 0xF0 && first < 0xF5) length = 4;
    if (length == 0 || text.size() < length) return {kReplacement, 1};
    std::uint32_t value = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return {kReplacement, 1};
        value = value << 6U | (byte(i) & 0x3FU);
    }
    const bool surrogate = value >= 0xD800 && value < 0xE000;
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (surrogate || overlong || value > 0x10FFFF) return {kReplacement, 1};
    return {value, length};
}

void append_utf16_escape(std::string& to, std::uint32_t unit) {
    to += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) to += kHexDigits[unit >> shift & 0xFU];
}

void append_json_string(std::string& to, std::string_view text) {
    const bool cut = text.size() > kValueBytesMax;
    if (cut) text = text.substr(0, kValueBytesMax);
    to += '"';
    while (!text.empty()) {
        const CodePoint point = decode_utf8(text);
        if (point.value == '"' || point.value == '\\') {
            to += '\\';
            to += static_cast<char>(point.value);
        } else if (point.value >= 0x20 && point.value < 0x7F) {
            to += static_cast<char>(point.value);
        } else if (point.value < 0x10000) {
            append_utf16_escape(to, point.value);
        } else {
            append_utf16_escape(to, 0xD800 + ((point.value - 0x10000) >> 10U));
            append_utf16_escape(to, 0xDC00 + ((point.value - 0x10000) & 0x3FFU));
        }
        text.remove_prefix(point.bytes);
    }
    if (cut) to += kCut;
    to += '"';
}

template <class AppendString>
void append_value(std::string& to, const Value& value, AppendString append_string) {
    std::visit(
        [&](const auto& held) {
            using Held = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::string>) {
                append_string(to, held);
            } else if constexpr (std::is_same_v<Held, bool>) {
                to += held ? "true" : "false";
            } else if constexpr (std::is_same_v<Held, double>) {
                // JSON has no number for these.
                if (std::isfinite(held))
                    append_number(to, held);
                else
                    append_string(to, std::isnan(held) ? "nan" : held > 0 ? "inf" : "-inf");
            } else {
                append_number(to, held);
            }
        },
        value);
}

std::string text_line(const Message& message) {
    std::string line = to_rfc3339(message.time);
    line += ' ';
    for (const char c : to_string(message.level)) line += static_cast<char>(c - 'a' + 'A');
    line.append(5 - to_string(message.level).size() + 1, ' ');
    append_text_value(line, message.component);
    line += ": ";
    append_text_message(line, message.text);
    for (std::size_t i = 0; i < message.fields.size(); ++i) {
        if (i == kFieldsMax || line.size() > kFieldFits) return line + " ...";
        const Field& field = message.fields[i];
        line += ' ';
        append_text_value(line, field.key);
        line += '=';
        append_value(line, field.value, append_text_value);
    }
    return line;
}

std::string json_line(const Message& message) {
    std::string line = R"({"time":")" + to_rfc3339(message.time) + R"(","level":")";
    line += to_string(message.level);
    line += R"(","component":)";
    append_json_string(line, message.component);
    line += R"(,"message":)";
    append_json_string(line, message.text);
    line += R"(,"fields":{)";
    for (std::size_t i = 0; i < message.fields.size(); ++i) {
        if (i != 0) line += ',';
        if (i == kFieldsMax || line.size() > kFieldFits) {
            line += R"("...":true)";
            break;
        }
        const Field& field = message.fields[i];
        append_json_string(line, field.key);
        line += ':';
        append_value(line, field.value, append_json_string);
    }
    line += "}}";
    return line;
}

}  // namespace

std::string_view to_string(Level level) {
    switch (level) {
        case Level::Trace:
            return "trace";
        case Level::Debug:
            return "debug";
        case Level::Info:
            return "info";
        case Level::Warn:
            return "warn";
        case Level::Error:
            return "error";
    }
    return "error";
}

std::optional<Level> parse_level(std::string_view text) {
    for (const Level level : {Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error})
        if (text == to_string(level)) return level;
    return std::nullopt;
}

std::string format_line(LineFormat format, const Message& message) {
    return format == LineFormat::Json ? json_line(message) : text_line(message);
}

std::string to_rfc3339(UnixTime time) {
    constexpr std::uint64_t kLastMs = 253'402'300'799'999;  // of the year 9999
    const std::uint64_t ms = std::min(time.ms, kLastMs);
    const std::chrono::sys_days day{std::chrono::days(ms / 86'400'000)};
    const std::chrono::year_month_day date(day);
    const std::uint64_t of_day = ms % 86'400'000;
    std::array<char, 64> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ",
                  static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()),
                  static_cast<unsigned>(of_day / 3'600'000),
                  static_cast<unsigned>(of_day / 60'000 % 60),
                  static_cast<unsigned>(of_day / 1'000 % 60),
                  static_cast<unsigned>(of_day % 1'000));
    return text.data();
}

}  // namespace draco::log
