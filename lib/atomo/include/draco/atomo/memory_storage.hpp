#pragma once
// Storage in memory: nothing is durable. Snapshots are free and reads take no lock, because the
// data is a tree that is never modified: a commit builds new nodes beside the old ones.
//
// Cost, for n entries: a read O(log n) with about six cache misses at a million entries; a commit
// of m writes copies the leaves (up to 4 KiB, or one entry) and inner nodes that it touches, O(m
// log n).

#include "draco/atomo/storage.hpp"

#include <memory>

namespace draco::atomo {

std::unique_ptr<Storage> open_memory_storage();

}  // namespace draco::atomo
