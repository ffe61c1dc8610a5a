#pragma once
// RocksDB's files on a draco::Disk.

#include "draco/base/disk.hpp"

#include <rocksdb/file_system.h>

#include <memory>

namespace draco::atomo {

// `disk` must outlive it. Thread-safe, as the Disk is.
std::shared_ptr<rocksdb::FileSystem> make_rocks_filesystem(Disk& disk);

// Drops what RocksDB has to say.
std::shared_ptr<rocksdb::Logger> make_silent_logger();

}  // namespace draco::atomo
