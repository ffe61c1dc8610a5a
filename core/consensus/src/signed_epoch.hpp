#pragma once
// What a home knows of its past: <directory>/signed-epoch, the highest epoch for which it has ever
// made a log. In an epoch above it, this home has signed nothing.
//
// It is written before the log is made, and again when it is made, before anything is signed: a
// crash between the two costs nothing.
//
//   BCS of SignedEpochContent, then 32 bytes: BLAKE3, keyed by purpose, over chain, key and those
//
// A change is a file beside it, synced and renamed, and its directory synced. One caller at a time.

#include "draco/base/disk.hpp"
#include "draco/types/ids.hpp"
#include "draco/types/keys.hpp"

#include <optional>
#include <string>

namespace draco::consensus {

// Creates `path` with its parents; their names are durable.
Result<> make_directory(Disk& disk, const std::string& path);

struct SignedEpochContent {
    std::optional<types::Epoch> highest;  // none: a log was never made
    bool log_made = false;                // of `highest`: it was complete, and may have been used

    bool operator==(const SignedEpochContent&) const = default;
};

class SignedEpoch {
public:
    enum class File : std::uint8_t { Absent, Damaged, Sound };

    SignedEpoch(Disk& disk, std::string directory, types::ChainId chain, const types::NodeKey& key)
        : disk_(disk), directory_(std::move(directory)), chain_(chain), key_(key) {}

    // Before anything else. Errors, here and below: those of the Disk.
    Result<File> read();

    // Whether the file is there and sound. If not, the home's past is unknown.
    bool is_known() const { return known_; }

    // Whether this home has certainly signed nothing in the epoch.
    bool is_untouched(types::Epoch epoch) const;
    // The home has no past: it has made no log.
    Result<> begin();
    // Around the making, or opening, of the epoch's log. Both never lower what is there.
    Result<> before_log(types::Epoch epoch);
    Result<> after_log(types::Epoch epoch);
    // The home's past does not tell what its key has signed: removes the file.
    Result<> forget();

private:
    std::string path() const { return directory_ + "/signed-epoch"; }

    Bytes encoded(const SignedEpochContent& content) const;
    Result<> write(const SignedEpochContent& content);

    Disk& disk_;
    std::string directory_;
    types::ChainId chain_;
    types::NodeKey key_;
    bool known_ = false;
    SignedEpochContent content_;
};

}  // namespace draco::consensus
