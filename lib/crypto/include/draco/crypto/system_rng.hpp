#pragma once
// The operating system's random number generator.

#include "draco/base/rng.hpp"

namespace draco::crypto {

// Cryptographically strong: every byte comes from getrandom(2), which waits until the kernel's
// generator is seeded. Keys may be drawn from it. Thread-safe. Aborts if the kernel refuses, since
// no key may be made then and no caller could do better.
class SystemRng final : public Rng {
public:
    void fill(MutByteView out) override;
};

}  // namespace draco::crypto
