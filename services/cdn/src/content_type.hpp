#pragma once
// The media type of a file, by the end of its name. Addresses have no names, and bytes are not
// looked at: a guess that a browser trusts is a way in.

#include <string_view>

namespace draco::cdn {

// Text comes with its charset, UTF-8. "application/octet-stream" for what is not known.
std::string_view content_type_of(std::string_view name);

}  // namespace draco::cdn
