#include "draco/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace draco::detail {

void assertion_failed(const char* condition,
                      const char* what,
                      const char* file,
                      int line) noexcept {
    std::fprintf(stderr,
                 "draco: assertion failed at %s:%d: %s (%s). This is a bug in draco.\n",
                 file,
                 line,
                 what,
                 condition);
    std::fflush(stderr);
    std::abort();
}

}  // namespace draco::detail
