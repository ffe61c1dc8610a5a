#pragma once
// How long to wait for what was sent before it counts as lost, by how long others took: the
// smoothed time and its mean deviation (RFC 6298 2), within bounds. Only what was sent once is to
// be measured, because what was sent again does not say which copy arrived (Karn; RFC 6298 3).

#include "draco/base/clock.hpp"

#include <optional>

namespace draco {

class ResendTimeout {
public:
    static constexpr Duration kUnmeasured = std::chrono::seconds(10);
    static constexpr Duration kMin = std::chrono::seconds(3);
    static constexpr Duration kMax = std::chrono::seconds(60);

    // Precondition: not negative.
    void measured(Duration took);
    // kUnmeasured before anything is measured.
    Duration current() const;

    // After a loss: twice as long, within the bounds.
    static Duration backed_off(Duration timeout);

private:
    std::optional<Duration> smoothed_;
    Duration deviation_{};
};

}  // namespace draco
