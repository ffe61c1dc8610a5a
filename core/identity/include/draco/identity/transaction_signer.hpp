#pragma once
// Signs and sends this node's transactions (interfaces::NodeSigner), or an account's.
//
// An affair object around SignerCore: it writes the journal, submits through the forwarder, and
// follows the ledger. Thread-safe. What it was given outlives it; when its destructor returns, none
// of its code runs, and every `done` that was not called will be, with Abandoned.
//
// A transaction that is refused (fee, quota, unknown sender) gives its error to `done` and stays:
// its nonce is signed for, so it is sent again until the chain executes it.
//
// If the journal cannot be written, all that wait get the error, and the object is made anew by its
// supervision, reading what is durable; if that fails, it is escalated.

#include "draco/affair/registry.hpp"
#include "draco/base/disk.hpp"
#include "draco/identity/signer_core.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/signer.hpp"
#include "draco/log/log.hpp"

#include <memory>
#include <string>

namespace draco::identity {

struct SignerParts {
    Executor& executor;
    affair::Registry& registry;
    Disk& disk;
    interfaces::Ledger& ledger;
    interfaces::TransactionForwarder& forwarder;
    log::Log& log;
};

class TransactionSigner : public interfaces::NodeSigner {
public:
    // Reads the journal at `journal_path`, whose directory exists, and sends what it holds again.
    // Errors of SigningJournal::open; InvalidArgument: options or chain do not fit. `name` is the
    // object's in the registry.
    static Result<std::unique_ptr<TransactionSigner>> open(
        SignerParts parts,
        SecretKey key,
        std::string journal_path,
        MissingJournal missing = MissingJournal::Create,
        SignerOptions options = {},
        std::string name = "signer");

    using interfaces::NodeSigner::execute;
    // An account's: refused by the chain while the fee is above fee_max.
    virtual void execute(types::Method method, types::FlkAmount fee_max, Done done) = 0;
};

}  // namespace draco::identity
