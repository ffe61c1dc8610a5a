// Proves that percentiles are those of the samples, within a bucket, also after a way through text.

#include "../src/latencies.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace draco::consensus_bench {
namespace {

TEST(Latencies, PercentilesAreThoseOfTheSamples) {
    // Against sorted samples of very different sizes: within the width of a bucket, an eighth.
    std::mt19937_64 random(testing::test_seed(3));
    std::vector<std::uint64_t> samples;
    Latencies first;
    Latencies second;
    for (std::size_t i = 0; i < 20'000; ++i) {
        samples.push_back(random() % (std::uint64_t{1} << (1 + random() % 30)));
        (i % 2 == 0 ? first : second).add(samples.back());
    }
    std::ranges::sort(samples);
    first.merge(second);
    const Latencies told = Latencies::from_text(first.to_text());
    EXPECT_EQ(told.samples(), samples.size());
    for (const double share : {0.01, 0.5, 0.95, 0.99, 1.0}) {
        const auto index = static_cast<std::size_t>(share * static_cast<double>(samples.size()));
        const auto exact = static_cast<double>(samples[std::max<std::size_t>(index, 1) - 1]);
        EXPECT_NEAR(told.quantile_us(share), exact, exact / 8 + 1) << share;
    }
}

TEST(Latencies, OfNothingAreNothing) {
    // No samples, and text that is no histogram, give zeros.
    EXPECT_EQ(Latencies().quantile_us(0.5), 0);
    EXPECT_EQ(Latencies::from_text("what is this").samples(), 0U);
}

}  // namespace
}  // namespace draco::consensus_bench
