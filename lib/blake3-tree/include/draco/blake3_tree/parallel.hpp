#pragma once
// Hashing large contents on several threads. The result does not depend on their number. Threads
// are started by the call and have ended when it returns; the calling thread is one of them. If the
// system refuses more threads, fewer do the work.
//
// thread_count_max: at least 1 (0 counts as 1); more than the processor has do not help.

#include "draco/base/disk.hpp"
#include "draco/blake3_tree/hash_tree.hpp"

namespace draco::blake3_tree {

// Bytes in memory or mapped into it. Memory: 32 bytes per MiB.
Hash hash_parallel(ByteView content, unsigned thread_count_max, const Mode& mode = Mode::plain());

// The whole tree of such bytes.
HashTree build_tree_parallel(ByteView content,
                             unsigned thread_count_max,
                             const Mode& mode = Mode::plain());

// A file, read with positional reads of 256 KiB per thread. Errors: what File::size and
// File::read_at return; Io if the file becomes shorter meanwhile. A file that is written to
// meanwhile gives the hash of some mixture.
Result<Hash> hash_file(const File& file,
                       unsigned thread_count_max,
                       const Mode& mode = Mode::plain());

// The whole tree of a file.
Result<HashTree> build_tree_of_file(const File& file,
                                    unsigned thread_count_max,
                                    const Mode& mode = Mode::plain());

}  // namespace draco::blake3_tree
