#pragma once
// A file as a person names it: any path, absolute or relative to the working directory, symbolic
// links followed. For command lines; a node's own files live on a PosixDisk, which no path can
// leave.

#include "draco/base/disk.hpp"

#include <memory>
#include <string>

namespace draco::io {

// Read-only. NotFound; InvalidArgument for a directory; Unavailable if it is a pipe, socket or
// device, which has no positions to read at; otherwise as Disk::open.
Result<std::unique_ptr<File>> open_for_reading(const std::string& path);

}  // namespace draco::io
