#include "draco/crypto/system_rng.hpp"

#include "draco/base/assert.hpp"

#include <sys/random.h>

#include <cerrno>

namespace draco::crypto {

void SystemRng::fill(MutByteView out) {
    while (!out.empty()) {
        const ssize_t filled = getrandom(out.data(), out.size(), 0);
        if (filled < 0 && errno == EINTR) continue;
        DRACO_ASSERT(filled > 0, "the kernel gives random bytes");
        out = out.subspan(static_cast<std::size_t>(filled));
    }
}

}  // namespace draco::crypto
