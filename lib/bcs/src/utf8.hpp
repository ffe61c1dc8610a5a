#pragma once
#include <cstddef>
#include <string_view>

namespace draco::bcs {

// The length of the longest prefix that is well-formed UTF-8 (Unicode 15, table 3-7).
std::size_t utf8_prefix(std::string_view text);

}  // namespace draco::bcs
