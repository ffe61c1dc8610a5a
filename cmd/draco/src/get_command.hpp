#pragma once
// draco get: content from nodes, verified block by block.

#include "draco/base/result.hpp"

#include "account_sender.hpp"
#include "get_plan.hpp"
#include "invocation.hpp"

#include <string>

namespace draco {

struct GetCommandOptions {
    std::string what;    // HASH, HASH/PATH in a folder, or the URL of either
    std::string output;  // a file, a folder for a folder, a device, "-"; empty: standard output
    bool force = false;  // replace what is there
    bool pay = false;
    std::string reserve_usd;  // of a lane that is opened for this; empty: 1
    SenderOptions sender;     // who pays
    GetLimits limits{};
};

// That options which only say how to pay stand beside --pay, and --json beside an output that is
// named. InvalidArgument.
Result<> check_get(const Invocation& invocation, const GetCommandOptions& options);

Result<> run_get(const Invocation& invocation, const GetCommandOptions& options);

}  // namespace draco
