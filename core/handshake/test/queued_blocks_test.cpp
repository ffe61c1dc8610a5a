// How much of the content that a stream has accepted it has not passed on, beside a model that
// knows of each byte what it is.

#include "../src/queued_blocks.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace draco::handshake {
namespace {

// Whatever is accepted and passed on, in pieces of any size, and with bytes before all that nobody
// told of, the count is that of the model.
TEST(QueuedBlocks, CountsWhatAModelCounts) {
    const std::uint64_t seed = testing::test_seed(30);
    for (std::uint64_t round = 0; round < testing::scaled(200); ++round) {
        std::mt19937_64 random(seed + round);
        const auto draw = [&](std::uint64_t bound) { return random() % bound; };
        QueuedBlocks blocks;
        std::deque<bool> is_content(draw(20), false);
        for (int i = 0; i < 200; ++i) {
            if (draw(2) == 0) {
                const std::uint64_t head = draw(5);
                const std::uint64_t content = draw(3) == 0 ? 0 : draw(30);
                blocks.accepted(head + content, content);
                is_content.insert(is_content.end(), head, false);
                is_content.insert(is_content.end(), content, true);
            } else {
                const std::uint64_t count = draw(is_content.size() + 1);
                is_content.erase(is_content.begin(),
                                 is_content.begin() + static_cast<std::ptrdiff_t>(count));
                if (draw(2) == 0) blocks.passed_on(is_content.size());
            }
            ASSERT_EQ(blocks.content_bytes(is_content.size()), std::ranges::count(is_content, true))
                << "seed " << seed + round;
        }
    }
}

}  // namespace
}  // namespace draco::handshake
