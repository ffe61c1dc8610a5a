#pragma once
// Offline checks of a database that nobody has open. Both need only the storage: the schema that
// says which tables are authenticated is stored with the data. Both take 64 bytes of memory for
// each authenticated entry.

#include "draco/atomo/state_proof.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/base/result.hpp"

#include <cstdint>

namespace draco::atomo {

struct StateReport {
    std::uint64_t entries = 0;  // authenticated ones
    StateRoot root;
};

// Reads every authenticated entry and every page of the tree: Corrupt unless the stored root, the
// pages and the entries agree. NotFound: no database. Unavailable: a load or rebuild did not
// finish.
Result<StateReport> verify_state(const Storage& storage);

// Trusts the entries and writes the tree and root anew. If it is interrupted, opening the database
// is Unavailable until it has run to its end. NotFound: no database. Unavailable: a checkpoint load
// did not finish, so the entries are not whole.
Result<StateReport> rebuild_state(Storage& storage);

}  // namespace draco::atomo
