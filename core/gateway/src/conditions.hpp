#pragma once
// Conditional requests (RFC 9110 13). A content has an entity tag and no date: fields with dates do
// not apply to it (13.1.3, 13.1.4), and If-Range with one is false (13.1.5).

#include "draco/http/message.hpp"

#include <cstdint>
#include <string_view>

namespace draco::gateway {

enum class Condition : std::uint8_t { Proceed, NotModified, PreconditionFailed };

// If-Match and If-None-Match, in the order of 13.2.2. `etag` is strong, with its quotes; the
// content exists, and the method is GET or HEAD.
Condition evaluate_conditions(const http::Fields& fields, std::string_view etag);

// Whether a Range field counts: there is exactly one, and no If-Range says otherwise.
bool may_send_ranges(const http::Fields& fields, std::string_view etag);

}  // namespace draco::gateway
