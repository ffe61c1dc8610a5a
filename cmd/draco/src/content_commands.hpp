#pragma once
// What the owner of a node does with its content: put, ls, pin, unpin, rm; and what its
// clients have acknowledged.

#include "draco/base/result.hpp"

#include "invocation.hpp"

#include <string>

namespace draco {

struct ContentOptions {
    std::string path;  // put
    std::string hash;  // or HASH/PATH, or a URL
    bool no_pin = false;
    bool all = false;               // ls: every object
    bool this_object_only = false;  // pin, unpin, rm: not what a directory leads to
};

Result<> run_put(const Invocation& invocation, const ContentOptions& options);
Result<> run_ls(const Invocation& invocation, const ContentOptions& options);
Result<> run_pin(const Invocation& invocation, const ContentOptions& options);
Result<> run_unpin(const Invocation& invocation, const ContentOptions& options);
Result<> run_rm(const Invocation& invocation, const ContentOptions& options);
Result<> run_acks(const Invocation& invocation);

}  // namespace draco
