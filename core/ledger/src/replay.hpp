#pragma once
// Brings an application up to its archive.

#include "draco/base/result.hpp"
#include "draco/interfaces/application.hpp"
#include "draco/log/log.hpp"

#include "archive.hpp"

namespace draco::ledger {

// Checks that both are of one chain and executes what the application has not. Blocking; one line
// in the log for each kReplayLogBlocks.
Result<> replay(interfaces::Application& application, Archive& archive, const log::Logger& log);

inline constexpr std::uint64_t kReplayLogBlocks = 1000;

}  // namespace draco::ledger
