#pragma once
// Small files that are replaced as a whole.

#include "draco/base/bytes.hpp"
#include "draco/base/disk.hpp"

#include <string>
#include <string_view>

namespace draco::identity {

// "" for a name in the root.
std::string directory_of(std::string_view path);

// After a crash the file is the old or the new one, and the new one once this has returned. On an
// error either is possible.
Result<> replace_file(Disk& disk, const std::string& path, ByteView content);

// Exhausted, and nothing is read, if it is longer than bytes_max.
Result<Bytes> read_file(Disk& disk, const std::string& path, std::size_t bytes_max);

}  // namespace draco::identity
