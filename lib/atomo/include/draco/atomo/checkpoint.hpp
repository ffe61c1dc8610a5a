#pragma once
// A whole state as one file: written as a stream, checked before it is loaded, loaded as a stream.
// One state has exactly one checkpoint (for one choice of excluded tables), whatever its storage or
// history. README has the grammar.

#include "draco/atomo/engine.hpp"
#include "draco/atomo/state_proof.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace draco::atomo {

using CheckpointHash = FixedBytes<struct CheckpointHashTag, 32>;

// Hashes a stream.
class StreamHash {
public:
    virtual ~StreamHash() = default;
    virtual void update(ByteView part) = 0;
    virtual CheckpointHash digest() const = 0;  // of everything so far
};

using StreamHashFactory = std::function<std::unique_ptr<StreamHash>()>;

std::unique_ptr<StreamHash> make_sha256_stream();

// What names a checkpoint: someone trusted (a committee, an operator) vouches for both.
struct CheckpointId {
    CheckpointHash hash;  // of all bytes of the file
    StateRoot root;

    bool operator==(const CheckpointId&) const = default;
};

struct CheckpointReport {
    CheckpointId id;
    std::uint64_t bytes = 0;
    std::uint64_t entries = 0;
};

struct ExportOptions {
    std::vector<std::string> excluded_tables{};  // by name; none of them authenticated
    StreamHashFactory hash = make_sha256_stream;
};

// Writes the checkpoint of `version` to `to`, which must be empty, in memory of about a buffer and
// an entry. Commits may go on meanwhile. InvalidArgument: a table to exclude is authenticated or
// does not exist, or the file is not empty. The file is not synced.
Result<CheckpointReport> export_checkpoint(const Version& version,
                                           File& to,
                                           const ExportOptions& options = {});

// The same into a file at `path` that is there, whole and durable, or not at all: written under a
// name that nobody else uses, synced, renamed. Replaces an older file.
Result<CheckpointReport> export_checkpoint(const Version& version,
                                           Disk& disk,
                                           std::string_view path,
                                           const ExportOptions& options = {});

// Loads a checkpoint into a storage that holds nothing. First the file is read once and must have
// the expected hash; not a byte is parsed before. Then it is read again and loaded; the hash of
// this second reading and the state root computed from the entries must be as expected, or the
// storage stays unusable (opening it is Unavailable) and has to be discarded. Memory: a few MiB and
// the largest entry, whatever the file says.
//
// Corrupt: another hash or root, or bytes that are not the format; names the offset.
// AlreadyExists: the storage holds something.
Result<CheckpointReport> import_checkpoint(const File& from,
                                           Storage& into,
                                           const CheckpointId& expected,
                                           const StreamHashFactory& hash = make_sha256_stream);

}  // namespace draco::atomo
