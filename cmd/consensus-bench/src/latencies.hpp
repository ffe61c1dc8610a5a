#pragma once
// How long things took, in buckets that grow by an eighth: any percentile within 6 %, in 2.3 KiB.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace draco::consensus_bench {

class Latencies {
public:
    void add(std::uint64_t us) {
        ++counts_[bucket(us)];
        ++samples_;
        total_us_ += us;
    }

    void merge(const Latencies& other);

    std::uint64_t samples() const { return samples_; }

    double mean_us() const {
        return samples_ == 0 ? 0 : static_cast<double>(total_us_) / static_cast<double>(samples_);
    }

    // The middle of the bucket below which this share of the samples lies.
    double quantile_us(double share) const;

    // One line of text, and back.
    std::string to_text() const;
    static Latencies from_text(const std::string& text);

private:
    static constexpr std::size_t kSteps = 8;  // in each power of two
    static constexpr std::size_t kBuckets = kSteps * 36;

    static std::size_t bucket(std::uint64_t us);
    static double middle_us(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t samples_ = 0;
    std::uint64_t total_us_ = 0;
};

}  // namespace draco::consensus_bench
