#include "command_line.hpp"

#include <malloc.h>

#include <cstdio>
#include <exception>

namespace {

// Batches, blocks and frames of some hundred kilobytes come and go all the time. By default each
// would be mapped and unmapped, and every page of it would fault.
void keep_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
}

}  // namespace

int main(int argc, char** argv) {
    keep_freed_memory();
    try {
        return draco::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "draco: %s\n", error.what());
        return 1;
    }
}
