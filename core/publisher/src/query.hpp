#pragma once
// The query of a target: "a=1&b=x", without repetition or escapes, which none of our values needs.

#include "draco/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace draco::publisher {

// InvalidArgument: a key that is not in `known`, one that comes twice, or no '='.
Result<> check_query(std::string_view query, std::initializer_list<std::string_view> known);
// nullopt if it is absent.
std::optional<std::string_view> query_value(std::string_view query, std::string_view key);
// `otherwise` if it is absent. InvalidArgument: not a decimal number.
Result<std::uint64_t> query_number(std::string_view query,
                                   std::string_view key,
                                   std::uint64_t otherwise);
// InvalidArgument: neither true nor false. False if it is absent.
Result<bool> query_flag(std::string_view query, std::string_view key);

}  // namespace draco::publisher
