#pragma once
// A lane from its payer's side: what proves the right to it, and how much has been received on it.

#include "draco/base/disk.hpp"
#include "draco/types/session.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace draco::client {

// How many bytes were received on one lane since it was opened. What is acknowledged is never more
// than this, so whoever loses the count pays at most what the node can show a signature for.
class LaneLedger {
public:
    virtual ~LaneLedger() = default;
    virtual std::uint64_t received() const = 0;
    // Durable when it returns. `received` never falls. Errors: of the disk.
    virtual Result<> record(std::uint64_t received) = 0;
};

// In memory: for lanes that do not outlive the process, and tests.
class MemoryLedger final : public LaneLedger {
public:
    explicit MemoryLedger(std::uint64_t received = 0) : received_(received) {}

    std::uint64_t received() const override { return received_; }

    Result<> record(std::uint64_t received) override {
        received_ = received;
        return {};
    }

private:
    std::uint64_t received_;
};

// In a small file (docs/formats/session.md), replaced by a rename, so that a crash leaves one of
// two counts. One process at a time uses it.
class FileLedger final : public LaneLedger {
public:
    // `path` is on `disk`, in a directory that exists; a file that is not there begins at 0.
    // Corrupt: the file is damaged. InvalidArgument: it is of another lane. The disk outlives the
    // ledger.
    static Result<std::unique_ptr<FileLedger>> open(Disk& disk,
                                                    std::string path,
                                                    const types::NodeKey& node,
                                                    const types::session::LaneClaim& lane);

    std::uint64_t received() const override { return received_; }

    Result<> record(std::uint64_t received) override;

private:
    FileLedger(Disk& disk,
               std::string path,
               const types::NodeKey& node,
               const types::session::LaneClaim& lane)
        : disk_(disk), path_(std::move(path)), node_(node), lane_(lane) {}

    Disk& disk_;
    const std::string path_;
    const types::NodeKey node_;
    const types::session::LaneClaim lane_;
    std::uint64_t received_ = 0;
};

// What a session on a lane needs. The ledger outlives the session. One session at a time: two would
// each count for themselves, and sign less than both have received.
struct LaneCredentials {
    types::session::LaneClaim lane{};
    types::SessionSecretKey key;
    LaneLedger* ledger = nullptr;
};

}  // namespace draco::client
