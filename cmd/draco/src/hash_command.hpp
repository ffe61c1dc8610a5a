#pragma once
// draco hash FILE...: the BLAKE3 content address of each file.

#include "invocation.hpp"

#include <string>
#include <vector>

namespace draco {

struct HashOptions {
    std::vector<std::string> paths;  // "-" is standard input
    unsigned threads = 0;            // 0: one per processor
};

// Prints "<hash>  <path>" per file, or with --json [{"path","hash","bytes"}...]. A file that cannot
// be read is reported on standard error and the others are still hashed. Returns the exit status:
// 0, or 1 if any file failed.
int run_hash(const Invocation& invocation, const HashOptions& options);

}  // namespace draco
