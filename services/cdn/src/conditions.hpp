#pragma once
// Conditional requests (RFC 9110 13). A content has an entity tag and no date: fields with dates do
// not apply to it (13.1.3, 13.1.4), and If-Range with one is false (13.1.5).

#include "draco/http/message.hpp"
#include "draco/sdk/service.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace draco::cdn {

// Of a request's fields those that decide what is sent, to be kept: If-Match, If-None-Match,
// If-Range, Range.
http::Fields deciding_fields(std::span<const sdk::FieldView> fields);

enum class Condition : std::uint8_t { Proceed, NotModified, PreconditionFailed };

// If-Match and If-None-Match, in the order of 13.2.2. `etag` is strong, with its quotes; the
// content exists, and the method is GET or HEAD.
Condition evaluate_conditions(const http::Fields& fields, std::string_view etag);

// Whether a Range field counts: there is exactly one, and no If-Range says otherwise.
bool may_send_ranges(const http::Fields& fields, std::string_view etag);

}  // namespace draco::cdn
