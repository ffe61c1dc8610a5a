#pragma once
// Status line and fields as they go over the wire.

#include "draco/base/clock.hpp"
#include "draco/http/answer.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace draco::http {

enum class Persistence : std::uint8_t {
    Implied,  // as HTTP/1.1 has it
    Told,     // a client of HTTP/1.0 that has asked for it
    Ended,
};

// Whether the answer can be sent: its status is final, its fields are field lines.
bool is_well_formed(const Answer& answer);

// Whether an answer of this status says the length of its content (RFC 9110 8.6).
bool has_content(unsigned status);

// "Date: ...\r\n".
std::string date_line(UnixTime time);

// What every head begins with.
inline constexpr std::string_view kHeadBegin = "HTTP/1.1 ";

void append_head(std::string& to,
                 const Answer& answer,
                 std::string_view date_line,
                 std::uint64_t content_length,
                 Persistence persistence);

}  // namespace draco::http
