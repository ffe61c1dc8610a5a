#pragma once
// The state machine over atomo. README.md has the rules; draco/interfaces/application.hpp the
// contract.

#include "draco/atomo/storage.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/application.hpp"
#include "draco/types/genesis.hpp"

#include <memory>

namespace draco::application {

// Applies the genesis in an empty storage, or opens the chain that is there. InvalidArgument: the
// genesis makes no sense, or the storage has the chain of another one. Else the errors of
// atomo::open_database.
Result<std::unique_ptr<interfaces::Application>> open(std::unique_ptr<atomo::Storage> storage,
                                                      const types::Genesis& genesis);

// Adds up all money, account by account, node by node and lane by lane: Corrupt unless it is the
// supply that the state claims. O(entries).
Result<> audit(const interfaces::StateView& state);

}  // namespace draco::application
