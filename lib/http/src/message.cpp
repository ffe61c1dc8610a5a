#include "draco/http/message.hpp"

#include "optional_whitespace.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace draco::http {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (lower(c) >= 'a' && lower(c) <= 'f') return static_cast<unsigned>(lower(c) - 'a' + 10);
    return std::nullopt;
}

constexpr std::array<bool, 256> kIsTokenChar = [] {
    std::array<bool, 256> is{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        is[static_cast<unsigned char>(c)] = true;
    return is;
}();

std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const auto high = hex_digit(text[i + 1]);
        const auto low = hex_digit(text[i + 2]);
        if (!high || !low) return std::nullopt;
        decoded += static_cast<char>(*high << 4U | *low);
        i += 2;
    }
    return decoded;
}

}  // namespace

// Without a branch for each character: nearly all texts are what they must be.
bool is_token(std::string_view text) {
    bool is_one = !text.empty();
    for (const char c : text) is_one &= kIsTokenChar[static_cast<unsigned char>(c)];
    return is_one;
}

bool is_field_value(std::string_view text) {
    bool is_one = true;
    for (const char c : text)
        is_one &= (c == '\t') | ((static_cast<unsigned char>(c) >= 0x20) & (c != 0x7F));
    return is_one;
}

bool is_well_formed(const Field& field) {
    return is_token(field.name) && is_field_value(field.value);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
    for (const Field& field : list)
        if (equals_ignoring_case(field.name, name)) return field.value;
    return std::nullopt;
}

std::size_t Fields::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        list, [&](const Field& field) { return equals_ignoring_case(field.name, name); }));
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
    for (const Field& field : list) {
        if (!equals_ignoring_case(field.name, name)) continue;
        std::string_view rest = field.value;
        while (true) {
            const std::size_t comma = rest.find(',');
            if (equals_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return false;
}

Response text_response(unsigned status, std::string_view content_type, std::string_view text) {
    Response made{.status = status, .fields = {}, .body = to_bytes(as_bytes(text))};
    made.fields.add("Content-Type", std::string(content_type));
    return made;
}

std::string_view reason_phrase(unsigned status) {
    struct Phrase {
        unsigned status;
        std::string_view text;
    };

    static constexpr std::array kPhrases = std::to_array<Phrase>({
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    });
    const auto* found = std::ranges::find(kPhrases, status, &Phrase::status);
    return found == kPhrases.end() ? "Unknown" : found->text;
}

std::optional<Target> parse_target(std::string_view target) {
    if (!target.starts_with('/')) return std::nullopt;
    const std::size_t question = target.find('?');
    auto path = percent_decode(target.substr(0, question));
    if (!path || path->contains('\0')) return std::nullopt;
    return Target{.path = *std::move(path),
                  .query = question == std::string_view::npos
                               ? std::string()
                               : std::string(target.substr(question + 1))};
}

std::string http_date(UnixTime time) {
    using namespace std::chrono;  // NOLINT(google-build-using-namespace)
    static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::uint64_t kMsMax = 253'402'300'799'000;  // the end of the year 9999
    const sys_seconds when{seconds(std::min(time.ms, kMsMax) / 1000)};
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss clock(when - day);
    std::array<char, 40> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%s, %02u %s %04d %02d:%02d:%02d GMT",
                  kDays[weekday(day).c_encoding()],
                  static_cast<unsigned>(date.day()),
                  kMonths[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

}  // namespace draco::http
