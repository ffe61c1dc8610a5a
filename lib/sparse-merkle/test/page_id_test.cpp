#include "draco/sparse_merkle/page_store.hpp"

#include "model.hpp"

#include <gtest/gtest.h>

namespace draco::sparse_merkle {
namespace {

// An id is its depth and prefix and nothing more, comes back from its bytes, and ids of one depth
// sort as their keys and as their bytes.
TEST(PageId, RoundTripsAndSorts) {
    std::mt19937_64 rng(1);
    for (unsigned depth = 0; depth < 256; ++depth) {
        const auto a = random_fixed<Key>(rng);
        const auto b = random_fixed<Key>(rng);
        const PageId id(static_cast<std::uint8_t>(depth), a);
        const PageId other(static_cast<std::uint8_t>(depth), b);
        EXPECT_EQ(PageId(id.depth(), id.first_key()), id);
        EXPECT_EQ(id.view().size(), 1 + (depth + 7) / 8);
        const auto again = PageId::from_bytes(id.view());
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, id);
        EXPECT_EQ(id < other, std::ranges::lexicographical_compare(id.view(), other.view()));
        EXPECT_EQ(id < other, id.first_key() < other.first_key());
    }
}

// Bytes of the wrong length, or with bits past the depth, name no page.
TEST(PageId, RefusesOtherBytes) {
    for (const Bytes& bytes :
         {Bytes{}, Bytes{1}, Bytes{9, 0}, Bytes{9, 0, 0, 0}, Bytes{9, 0, 0x40}, Bytes(40, 255)}) {
        const auto id = PageId::from_bytes(bytes);
        ASSERT_FALSE(id);
        EXPECT_EQ(id.error().code, Errc::Corrupt);
    }
}

}  // namespace
}  // namespace draco::sparse_merkle
