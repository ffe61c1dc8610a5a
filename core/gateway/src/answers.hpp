#pragma once
// What the front itself answers, and the fields that it gives to every answer.

#include "draco/base/clock.hpp"
#include "draco/http/answer.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace draco::gateway {

// Any page may read any answer, and no browser guesses what it is.
std::shared_ptr<const http::FieldBlock> front_fields();

// The fields of a CORS preflight. `methods`: "GET, HEAD, OPTIONS".
std::shared_ptr<const http::FieldBlock> preflight_fields(std::string_view methods);

// One line for a person; not to be stored.
http::Answer refusal(unsigned status, std::string text);
http::Answer wrong_method(std::string_view service, std::string_view methods);
http::Answer too_many(Duration wait);

}  // namespace draco::gateway
