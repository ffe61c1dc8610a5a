#pragma once
// A directory, written at once.

#include "draco/interfaces/content.hpp"

#include "store.hpp"

#include <vector>

namespace draco::blockstore {

// What Blockstore::put_directory promises.
Result<types::ContentInfo> put_directory(Store& store,
                                         const std::vector<types::DirectoryEntry>& entries);

}  // namespace draco::blockstore
