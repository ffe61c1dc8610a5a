#pragma once

#include <cmath>

namespace draco {

// The number that has so many decimals and is nearest: what prints as the shortest text that reads
// back as it has no more of them. Precondition: 0 <= decimals <= 6, |value| < 10^9.
inline double rounded(double value, int decimals) {
    const double scale = std::pow(10.0, decimals);
    return std::round(value * scale) / scale;
}

}  // namespace draco
