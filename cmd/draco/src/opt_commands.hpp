#pragma once
// opt in|out: the running node of the home signs for itself, because only it may know which nonces
// its key has used. It is asked over RPC with the token that it left in its home.

#include "invocation.hpp"

#include <cstdint>

namespace draco {

struct OptOptions {
    bool wait = false;
    std::uint64_t patience_s = 0;  // 0: some epochs
};

Result<> run_opt_in(const Invocation& invocation, const OptOptions& options);
Result<> run_opt_out(const Invocation& invocation, const OptOptions& options);

}  // namespace draco
