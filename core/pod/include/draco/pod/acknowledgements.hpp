#pragma once
// What paying clients have acknowledged to this node: kept durably, and settled in time.
// draco/interfaces/delivery.hpp has the contract, core.hpp the rules, README.md what a crash takes.
//
// Threads: one object of lib/affair checks signatures, writes the journal with blocking calls and
// follows the ledger, in tasks of the executor. Acknowledgements that wait together become durable
// with one sync. What the ledger tells costs the ledger's own thread one message for each block.
//
// If the journal cannot be written, all that wait get the error, and the object is made anew by its
// supervision, reading what is durable; if that fails, it is escalated.

#include "draco/affair/registry.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/delivery.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/log/log.hpp"
#include "draco/pod/core.hpp"
#include "draco/pod/journal.hpp"
#include "draco/pod/submitter.hpp"

#include <memory>

namespace draco::pod {

// They outlive what is opened.
struct Parts {
    Executor& executor;
    affair::Registry& registry;
    Disk& disk;
    interfaces::Ledger& ledger;
    log::Log& log;
};

struct Options {
    JournalOptions journal{};
    CoreOptions core{};
    std::size_t waiting_max = 4'096;  // acknowledgements and questions; more are Unavailable
};

// Reads the journal of `node`, and settles what it holds and the chain has not counted. When the
// destructor returns, none of its code runs; callbacks that were not called will be, with
// Unavailable. Errors: InvalidArgument (the options), Corrupt (the journal, with what to do), Io.
Result<std::unique_ptr<interfaces::Acknowledgements>> open(const Parts& parts,
                                                           const types::NodeKey& node,
                                                           std::unique_ptr<Submitter> submitter,
                                                           const Options& options);

}  // namespace draco::pod
