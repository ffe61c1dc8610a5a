// Used at random, with a large quota and with a small one, the store does what a map would do, and
// counts every byte.
#include "draco/testing/seed.hpp"

#include "store_lives.hpp"

namespace draco::blockstore {
namespace {

std::vector<Content> contents() {
    std::vector<Content> made;
    for (const std::size_t size : std::vector<std::size_t>{0,
                                                           1,
                                                           1000,
                                                           1001,
                                                           5000,
                                                           50'000,
                                                           kBlockBytes - 1,
                                                           kBlockBytes,
                                                           kBlockBytes + 1,
                                                           2 * kBlockBytes + 5,
                                                           3 * kBlockBytes,
                                                           5 * kBlockBytes + 77})
        made.push_back(made_file(size, size));
    for (const std::size_t count : {0U, 1U, 2U, 7U, 40U})
        made.push_back(made_directory(count, count));
    return made;
}

void run(std::uint64_t bytes_max, std::uint64_t runs, std::uint64_t steps, bool evicts) {
    const auto made = contents();
    const std::uint64_t seed = draco::testing::test_seed(21);
    std::uint64_t evicted = 0;
    for (std::uint64_t i = 0; i < draco::testing::scaled(runs); ++i) {
        Options options;
        options.bytes_max = bytes_max;
        StoreLives lives(seed + i, options, made);
        ASSERT_EQ(lives.open(), "") << "run " << i;
        ASSERT_EQ(lives.live(steps), "") << "run " << i;
        evicted += lives.evicted();
    }
    EXPECT_EQ(evicted > 0, evicts);
}

TEST(BlockstoreModel, WithRoomForEverything) {
    run(Options().bytes_max, 6, 300, false);
}

TEST(BlockstoreModel, WithRoomForSome) {
    run(6 * kBlockBytes, 10, 300, true);
}

}  // namespace
}  // namespace draco::blockstore
