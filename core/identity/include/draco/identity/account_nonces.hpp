#pragma once
// Signing with an account's key from a command: synchronous, one transaction at a time, with the
// same journal as the node's signer. Not thread-safe.

#include "draco/identity/signing_journal.hpp"

#include <string>
#include <vector>

namespace draco::identity {

class AccountNonces {
public:
    // Errors of SigningJournal::open. `disk` and `key` outlive it.
    static Result<AccountNonces> open(Disk& disk,
                                      std::string journal_path,
                                      const TransactionKey& key,
                                      types::GenesisDigest genesis);

    // Signs with the next nonce: above the chain's, and above all that were signed here. Durable
    // when it returns, so the bytes may be sent, and sent again. Signing and reserving are one
    // step, because a nonce reserved and never signed would block all after it.
    Result<SignedBytes> sign(types::Nonce chain_nonce,
                             types::FlkAmount fee_max,
                             types::Method method);
    // Signed here and not executed: to be sent again, as they are, before anything new.
    std::vector<SignedBytes> not_executed(types::Nonce chain_nonce) const;

private:
    AccountNonces(SigningJournal journal, const TransactionKey& key)
        : journal_(std::move(journal)), key_(&key) {}

    SigningJournal journal_;
    const TransactionKey* key_;
};

}  // namespace draco::identity
