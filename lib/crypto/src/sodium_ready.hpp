#pragma once
// libsodium looks at the processor in sodium_init and takes its portable code until then.

#include "draco/base/assert.hpp"

#include <sodium/core.h>

namespace draco::crypto {

// Thread-safe; costs a load after the first call.
inline void prepare_sodium() {
    static const bool kReady = sodium_init() >= 0;
    DRACO_ASSERT(kReady, "libsodium starts");
}

}  // namespace draco::crypto
