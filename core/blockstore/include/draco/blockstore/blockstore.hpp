#pragma once
// The content of this node, in files of a Disk. draco/interfaces/content.hpp has the contract of
// the object, docs/formats/blockstore.md the files.
//
// One file for each object; a file of the disk is open for each object that is held and each that
// is on its way in. Memory: about 300 bytes for each object of the store, 64 bytes for each block
// or entry of one that is held or on its way in, a block for each call or writer, and
// `trees_bytes_max`.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/log/log.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace draco::blockstore {

struct Options {
    std::string directory = "blockstore";  // created if absent; nobody else's
    // The quota: the sizes of all files, with those that are not finished yet. Directories and the
    // rounding to blocks of the file system come on top.
    std::uint64_t bytes_max = std::uint64_t{64} << 30;
    std::uint64_t objects_max = std::uint64_t{1} << 20;
    // A file that is written is synced whenever so much of it is not, so that finishing it is
    // short, however long it is.
    std::uint64_t unsynced_bytes_max = std::uint64_t{16} << 20;
    // Of verified trees of objects that nobody holds; those opened last. An object that is opened
    // again while its tree is here costs the look at its footer.
    std::uint64_t trees_bytes_max = std::uint64_t{32} << 20;
};

// Opens the store, or begins one: removes what was not finished, finds every object by its footer,
// drops what is damaged there, and evicts what exceeds the quota. Costs one small read for each
// object. The disk and the log outlive the store and everything that it handed out.
//
// Errors: InvalidArgument (options), Unavailable (another process has it open, or an object of this
// one is still held), Io, Exhausted.
Result<std::unique_ptr<interfaces::Blockstore>> open(Disk& disk,
                                                     const Options& options,
                                                     log::Log& log);

}  // namespace draco::blockstore
