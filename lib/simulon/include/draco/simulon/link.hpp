#pragma once
// What a simulated link is like. Value types; each direction of a link has its own LinkOptions.

#include "draco/base/clock.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include <cstdint>

namespace draco::simulon {

// A distribution of one-way delays. Integer arithmetic only, so a seed means the same delays on
// every machine.
class Latency {
public:
    static Latency constant(Duration delay);
    // Precondition of both: 0 <= low <= high.
    static Latency uniform(Duration low, Duration high);
    // Clamped to [low, high]; the sum of twelve uniform draws stands for the normal one.
    static Latency normal(Duration mean, Duration deviation, Duration low, Duration high);

    Duration draw(SeededRng& rng) const;
    // This distribution, slower by `factor`.
    Latency scaled(std::uint32_t factor) const;

private:
    enum class Shape : std::uint8_t { Constant, Uniform, Normal };

    Latency(Shape shape, Duration mean, Duration deviation, Duration low, Duration high)
        : shape_(shape), mean_(mean), deviation_(deviation), low_(low), high_(high) {}

    Shape shape_;
    Duration mean_;
    Duration deviation_;
    Duration low_;
    Duration high_;
};

struct LinkOptions {
    Latency latency = Latency::constant(std::chrono::milliseconds(1));
    double loss = 0;  // probability that a message vanishes without notice
    // Probability, for each of the last kResendWindow messages of a sender that has run on, that it
    // is sent again when the link comes back up, whether or not it had arrived.
    double resend = 0;
    // Of each channel by itself. 0 is unlimited: messages leave at once and no queue forms.
    std::uint64_t bandwidth_bytes_per_s = 0;
    // Of each channel: what waits to leave. One more message is refused with Exhausted.
    std::uint64_t queue_bytes_max = std::uint64_t{64} << 20;
};

inline constexpr std::size_t kResendWindow = 8;

}  // namespace draco::simulon
