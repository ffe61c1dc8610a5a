#pragma once
// draco get: content from nodes, verified block by block.

#include "draco/base/result.hpp"

#include "account_sender.hpp"
#include "get_plan.hpp"
#include "invocation.hpp"

#include <string>

namespace draco {

struct GetCommandOptions {
    std::string what;    // HASH, or HASH/PATH in a folder
    std::string output;  // a file, a folder for a folder, "-"; empty: standard output
    bool pay = false;
    std::string reserve_usd = "1";  // of a lane that is opened for this
    SenderOptions sender;           // who pays
    GetLimits limits{};
};

Result<> run_get(const Invocation& invocation, const GetCommandOptions& options);

}  // namespace draco
