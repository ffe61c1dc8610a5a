#pragma once
// What HTTP messages are made of (RFC 9110), and the bounds within which they are read.

#include "draco/base/bytes.hpp"
#include "draco/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::http {

struct Field {
    std::string name;  // as sent; compared without case
    std::string value;

    bool operator==(const Field&) const = default;
};

struct Fields {
    std::vector<Field> list;  // in the order sent

    // The value of the first field of that name.
    std::optional<std::string_view> find(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    // Whether the comma-separated list of that name (RFC 9110 5.6.1) has the token, without case.
    bool has_token(std::string_view name, std::string_view token) const;

    void add(std::string name, std::string value) {
        list.push_back({std::move(name), std::move(value)});
    }

    bool operator==(const Fields&) const = default;
};

struct Request {
    std::string method;  // a token; case matters
    std::string target;  // origin form ("/path?query"), or "*" for OPTIONS
    unsigned minor_version = 1;
    Fields fields;
    Bytes body;
    // Whether the connection may carry another request after this one (RFC 9112 9.3).
    bool keep_alive = true;

    bool operator==(const Request&) const = default;
};

struct Response {
    unsigned status = 200;
    Fields fields;  // without Content-Length, Transfer-Encoding, Connection and Date
    Bytes body;

    bool operator==(const Response&) const = default;
};

// A response of text.
Response text_response(unsigned status, std::string_view content_type, std::string_view text);

// What a person reads behind the number (RFC 9110 15); "Unknown" for others.
std::string_view reason_phrase(unsigned status);

struct ParseLimits {
    std::size_t start_line_bytes_max = 8 << 10;
    std::size_t fields_bytes_max = 32 << 10;
    std::size_t fields_max = 100;
    std::size_t body_bytes_max = 1 << 20;
    std::size_t chunk_line_bytes_max = 256;
};

// Why bytes are no message, with the status that says so.
struct ParseError {
    unsigned status = 400;
    std::string what;

    bool operator==(const ParseError&) const = default;
};

// The path and query of an origin-form target, percent-decoded once. nullopt if it does not begin
// with '/', a '%' is not followed by two hexadecimal digits, or the path decodes to a zero byte.
struct Target {
    std::string path;
    std::string query;  // as sent, without '?'

    bool operator==(const Target&) const = default;
};

std::optional<Target> parse_target(std::string_view target);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string http_date(UnixTime time);

// RFC 9110 5.6.2: what methods and field names are made of.
bool is_token(std::string_view text);

// RFC 9110 5.5: no control characters but the tab. Others would let a value begin a new line.
bool is_field_value(std::string_view text);

// Name and value are what they must be.
bool is_well_formed(const Field& field);

// Without case, ASCII only.
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace draco::http
