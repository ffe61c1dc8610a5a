#pragma once
// The answers' form.

#include "draco/base/result.hpp"
#include "draco/http/message.hpp"
#include "draco/types/content.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace draco::publisher {

http::Response json_answer(unsigned status, const boost::json::object& value);
http::Response no_content();
http::Response refusal(unsigned status, std::string_view error, std::string_view hint);
// The status that says what `error` means.
http::Response refusal(const Error& error);

std::string_view to_text(types::ContentKind kind);
boost::json::object object_of(const types::ContentInfo& info);

}  // namespace draco::publisher
