#include "draco/simulon/link.hpp"

#include <algorithm>

namespace draco::simulon {
namespace {

std::uint64_t nanoseconds(Duration duration) {
    return static_cast<std::uint64_t>(duration.count());
}

Duration duration_of(std::uint64_t ns) {
    return Duration(static_cast<Duration::rep>(ns));
}

}  // namespace

Latency Latency::constant(Duration delay) {
    return uniform(delay, delay);
}

Latency Latency::uniform(Duration low, Duration high) {
    DRACO_ASSERT(Duration::zero() <= low && low <= high, "delays are a range from zero up");
    return {low == high ? Shape::Constant : Shape::Uniform, low, Duration::zero(), low, high};
}

Latency Latency::normal(Duration mean, Duration deviation, Duration low, Duration high) {
    DRACO_ASSERT(Duration::zero() <= low && low <= high && deviation >= Duration::zero(),
                 "delays are a range from zero up");
    return {Shape::Normal, mean, deviation, low, high};
}

Duration Latency::draw(SeededRng& rng) const {
    switch (shape_) {
        case Shape::Constant:
            return mean_;
        case Shape::Uniform:
            return duration_of(rng.between(nanoseconds(low_), nanoseconds(high_)));
        case Shape::Normal:
            break;
    }
    // The sum of twelve uniform 21-bit numbers has mean 6 * 2^21 and deviation 2^21 (Irwin-Hall);
    // each 64-bit draw gives three of them.
    constexpr std::int64_t kOne = std::int64_t{1} << 21;
    std::int64_t sum = -6 * kOne;
    for (int i = 0; i < 4; ++i) {
        const std::uint64_t bits = rng.next();
        for (const int shift : {0, 21, 42})
            sum += static_cast<std::int64_t>(bits >> shift & static_cast<std::uint64_t>(kOne - 1));
    }
    const auto spread =
        static_cast<Duration::rep>(static_cast<__int128>(deviation_.count()) * sum / kOne);
    return std::clamp(mean_ + Duration(spread), low_, high_);
}

Latency Latency::scaled(std::uint32_t factor) const {
    return {shape_, mean_ * factor, deviation_ * factor, low_ * factor, high_ * factor};
}

}  // namespace draco::simulon
