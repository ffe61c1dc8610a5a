#include "../src/page_cache.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace draco::atomo {
namespace {

using sparse_merkle::Key;
using sparse_merkle::PageId;
using sparse_merkle::PageWrite;

PageId id_of(std::uint8_t number) {
    Key key;
    key.bytes[0] = number;
    return {18, key};
}

// Commits leave in the cache what they wrote, and nothing of what they deleted.
TEST(PageCache, FollowsCommittedWrites) {
    PageCache cache(1 << 20);
    cache.put(id_of(1), Bytes{1});
    cache.put(id_of(2), Bytes{2});
    std::vector<PageWrite> writes{
        {id_of(1), Bytes{11}}, {id_of(2), std::nullopt}, {id_of(3), Bytes{3}}};
    cache.apply(writes);
    ASSERT_NE(cache.find(id_of(1)), nullptr);
    EXPECT_EQ(*cache.find(id_of(1)), Bytes{11});
    EXPECT_EQ(cache.find(id_of(2)), nullptr);
    EXPECT_NE(cache.find(id_of(3)), nullptr);
}

// The bound holds whatever is put, replaced and deleted, and deleting returns all memory in the
// end.
TEST(PageCache, StaysWithinItsBound) {
    constexpr std::size_t kBound = 10'000;
    PageCache cache(kBound);
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < 256; ++i) {
            const PageId id = id_of(static_cast<std::uint8_t>(i));
            cache.put(id, Bytes(static_cast<std::size_t>(100 + (round + 1) * i)));
            EXPECT_LE(cache.bytes(), kBound);
            std::vector<PageWrite> removal{{id_of(static_cast<std::uint8_t>(i / 2)), std::nullopt}};
            cache.apply(removal);
        }
        EXPECT_NE(cache.find(id_of(255)), nullptr);
    }
    cache.put(id_of(0), Bytes(kBound));  // larger than the whole cache
    EXPECT_EQ(cache.find(id_of(0)), nullptr);
    EXPECT_EQ(cache.bytes(), 0U);
}

// A cache of no bytes keeps nothing.
TEST(PageCache, MayBeOff) {
    PageCache cache(0);
    cache.put(id_of(1), Bytes{1});
    EXPECT_EQ(cache.find(id_of(1)), nullptr);
    EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace draco::atomo
