#include "draco/identity/account_nonces.hpp"

#include <algorithm>
#include <limits>

namespace draco::identity {

Result<AccountNonces> AccountNonces::open(Disk& disk,
                                          std::string journal_path,
                                          const TransactionKey& key,
                                          types::GenesisDigest genesis) {
    DRACO_TRY(
        journal,
        SigningJournal::open(disk, std::move(journal_path), {key.chain(), genesis, key.sender()}));
    return AccountNonces(std::move(journal), key);
}

Result<SignedBytes> AccountNonces::sign(types::Nonce chain_nonce,
                                        types::FlkAmount fee_max,
                                        types::Method method) {
    DRACO_TRY_VOID(key_->check(method));
    journal_.forget(chain_nonce);
    const types::Nonce last = std::max(chain_nonce, journal_.signed_last());
    if (last.value() == std::numeric_limits<std::uint64_t>::max())
        return fail(Errc::Exhausted, "this key has used up its nonces");
    SignedBytes entry = key_->sign(types::Nonce(last.value() + 1), fee_max, std::move(method));
    DRACO_TRY_VOID(journal_.record({&entry, 1}));
    return entry;
}

std::vector<SignedBytes> AccountNonces::not_executed(types::Nonce chain_nonce) const {
    std::vector<SignedBytes> entries;
    for (const SignedBytes& entry : journal_.entries())
        if (entry.nonce > chain_nonce) entries.push_back(entry);
    return entries;
}

}  // namespace draco::identity
