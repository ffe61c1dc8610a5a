#pragma once
// Whole text files on a Disk.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include <string>
#include <string_view>

namespace draco::node {

// Exhausted beyond bytes_max.
Result<std::string> read_text(Disk& disk, std::string_view path, std::size_t bytes_max);
// Through a file beside it: after a crash, `path` is the old file or the new one.
Result<> replace_text(Disk& disk, std::string_view path, std::string_view text);

}  // namespace draco::node
