#pragma once
// Times for people.

#include <cstdint>
#include <string>

namespace draco {

// "2026-11-26 03:50", UTC, of milliseconds since 1970.
std::string date_text(std::uint64_t unix_ms);

}  // namespace draco
