#pragma once
// A message as one line of text. Whatever a field holds, a line is a line and its fields are its
// fields: nothing that came from outside can forge another.
//
// Text:
//     2026-11-25T16:04:54.123Z INFO  consensus: epoch has begun epoch=7 members=4 reason="a b"
// UTC; the level is padded to five letters. A value is quoted if it is empty or has anything beside
// letters, digits and -._:/+@,; a message if it has '=' or '"'. In quotes, '"' and '\' are
// escaped by '\'; \n \r \t and, as \xNN, every byte outside printable ASCII.
//
// JSON, one object per line, ASCII only (bytes that are not UTF-8 become U+FFFD):
//     {"time":"2026-11-25T16:04:54.123Z","level":"info","component":"consensus",
//      "message":"epoch has begun","fields":{"epoch":7,"members":4}}

#include "draco/base/clock.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace draco::log {

// What is beyond is cut off, and "..." says so.
inline constexpr std::size_t kValueBytesMax = 1024;
inline constexpr std::size_t kFieldsMax = 32;
inline constexpr std::size_t kLineBytesMax = std::size_t{32} << 10;

enum class LineFormat : std::uint8_t { Text, Json };

// A message and where it came from; views, for the length of a call.
struct Message {
    UnixTime time;
    Level level;
    std::string_view component;
    std::string_view text;
    std::span<const Field> fields;
};

// Without the line break.
std::string format_line(LineFormat format, const Message& message);

// RFC 3339 with milliseconds, UTC. Years beyond 9999 are written as 9999-12-31.
std::string to_rfc3339(UnixTime time);

}  // namespace draco::log
