#pragma once
// Whether the node key of a home has ever been used: a file beside the keys, so that who wipes the
// node's data but keeps its key does not make it new.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include <string>
#include <string_view>

namespace draco::node {

inline constexpr std::string_view kStartedFile = "node-started";

// True once, at the first call ever for these keys; that it was made is durable when it returns.
// Call it before anything is signed. Errors: those of the disk.
Result<bool> take_first_start(Disk& home, const std::string& keys_directory);

}  // namespace draco::node
