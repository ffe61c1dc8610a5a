#pragma once
// The entry of a directory as it is stored: BCS of
//     { name: bytes up to 255, target: 0 and a hash of 32 bytes, or 1 and bytes up to 1,023 }.
// Names and targets are any bytes that lib/blake3-tree allows, not only UTF-8.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/blake3_tree/directory.hpp"
#include "draco/types/content.hpp"

namespace draco::blockstore {

inline constexpr std::size_t kEntryBytesMin = 5;     // "a" as a symbolic link to "b"
inline constexpr std::size_t kEntryBytesMax = 1283;  // the longest name, link and lengths
inline constexpr std::size_t kOffsetBytes = 4;

void append_entry(Bytes& to, const types::DirectoryEntry& entry);
// Corrupt unless it is one entry with a name and a target as directories have them.
Result<types::DirectoryEntry> decode_entry(ByteView bytes);

blake3_tree::Hash leaf_of(const types::DirectoryEntry& entry, blake3_tree::EntryPlace place);

}  // namespace draco::blockstore
