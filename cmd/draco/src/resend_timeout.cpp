#include "resend_timeout.hpp"

#include <algorithm>

namespace draco {

void ResendTimeout::measured(Duration took) {
    if (!smoothed_) {
        smoothed_ = took;
        deviation_ = took / 2;
        return;
    }
    const Duration off = *smoothed_ > took ? *smoothed_ - took : took - *smoothed_;
    deviation_ += (off - deviation_) / 4;
    *smoothed_ += (took - *smoothed_) / 8;
}

Duration ResendTimeout::current() const {
    if (!smoothed_) return kUnmeasured;
    return std::clamp(*smoothed_ + 4 * deviation_, kMin, kMax);
}

Duration ResendTimeout::backed_off(Duration timeout) {
    return std::min(2 * timeout, kMax);
}

}  // namespace draco
