#include "latencies.hpp"

#include <algorithm>
#include <sstream>

namespace draco::consensus_bench {

std::size_t Latencies::bucket(std::uint64_t us) {
    if (us < kSteps) return static_cast<std::size_t>(us);
    const auto power = static_cast<std::size_t>(std::bit_width(us)) - 1;  // at least 3
    const auto step = static_cast<std::size_t>(us >> (power - 3)) & (kSteps - 1);
    return std::min((power - 2) * kSteps + step, kBuckets - 1);
}

double Latencies::middle_us(std::size_t bucket) {
    if (bucket < kSteps) return static_cast<double>(bucket);
    const std::size_t power = bucket / kSteps + 2;
    const double width = static_cast<double>(std::uint64_t{1} << (power - 3));
    return (static_cast<double>(kSteps + bucket % kSteps) + 0.5) * width;
}

void Latencies::merge(const Latencies& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    samples_ += other.samples_;
    total_us_ += other.total_us_;
}

double Latencies::quantile_us(double share) const {
    const double wanted = share * static_cast<double>(samples_);
    double below = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        below += static_cast<double>(counts_[i]);
        if (counts_[i] > 0 && below >= wanted) return middle_us(i);
    }
    return 0;
}

std::string Latencies::to_text() const {
    std::ostringstream text;
    text << total_us_;
    for (std::size_t i = 0; i < kBuckets; ++i)
        if (counts_[i] > 0) text << ' ' << i << ' ' << counts_[i];
    return text.str();
}

Latencies Latencies::from_text(const std::string& text) {
    Latencies made;
    std::istringstream words(text);
    words >> made.total_us_;
    std::size_t bucket = 0;
    std::uint64_t count = 0;
    while (words >> bucket >> count && bucket < kBuckets) {
        made.counts_[bucket] += count;
        made.samples_ += count;
    }
    return made;
}

}  // namespace draco::consensus_bench
