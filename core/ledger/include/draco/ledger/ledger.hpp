#pragma once
// The ledger over an archive in segment files. draco/interfaces/ledger.hpp has the contract of the
// object, README.md the formats and what survives what.
//
// Threads: one object of lib/affair archives and executes, with blocking calls to the disk, in
// tasks of the registry's executor. The calls of the interface never wait for it; append() and
// certify() read the disk only to compare with a block that was executed long ago.

#include "draco/affair/registry.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/application.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace draco::ledger {

struct Options {
    std::string directory = "archive";
    std::uint64_t segment_bytes = std::uint64_t{64} << 20;
    // The oldest blocks go, by whole segments, when the archive has more. What the application's
    // durable state does not cover stays, and so does the last block.
    std::uint64_t archive_bytes_max = std::uint64_t{16} << 30;
    std::size_t archive_blocks_max = std::size_t{1} << 22;  // 32 bytes of memory each
    // False if the application forgets its state when the process ends: all blocks are executed at
    // each start, so nothing is dropped, whatever archive_bytes_max and archive_blocks_max say.
    bool state_is_durable = true;

    std::size_t blocks_waiting_max = 1024;
    std::size_t bytes_waiting_max = std::size_t{256} << 20;  // one block may be larger
    std::size_t certificates_waiting_max = 1024;             // the highest ones are forgotten
    std::size_t group_blocks_max = 64;                       // archived with one sync
    // The application is made durable after so much, which bounds what a start executes again.
    std::uint64_t state_sync_blocks = 1024;
    std::uint64_t state_sync_bytes = std::uint64_t{256} << 20;
};

// Opens the archive, or begins one, and executes what the application has not: when it returns, the
// state is that of the last archived block. The application lives as long as the ledger; its
// thread-safe calls may be used beside it. The disk, the registry (with its executor) and the log
// outlive the ledger.
//
// A failure of the storage, and an archived block that the application refuses, are escalated
// through the registry, once, under the name "ledger"; what can be read stays readable. Destroying
// the ledger stops it, drops what was not archived yet and makes the rest durable.
//
// Errors: InvalidArgument (options), Corrupt (the archive is damaged, or it and the state are not
// of one chain, or one lacks what the other needs: which, and what to do), Io, Exhausted.
Result<std::unique_ptr<interfaces::Ledger>> open(
    std::unique_ptr<interfaces::Application> application,
    Disk& disk,
    affair::Registry& registry,
    log::Log& log,
    const Options& options);

}  // namespace draco::ledger
