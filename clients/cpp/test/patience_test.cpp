// How long a node can hold a client without a verified byte: counted message by message, as a node
// would that knows the rules.
#include "../src/patience.hpp"

#include "draco/types/session.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace draco::client {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kPieceBytes = types::session::kTreePieceNodesMax * 32;

// The time that a node wins which sends each piece at the last moment.
Duration held(std::uint64_t tree_bytes, std::uint64_t piece_bytes, const ClientOptions& options) {
    Patience patience(options);
    Duration held{};
    for (std::uint64_t sent = 0; sent < tree_bytes; sent += piece_bytes) {
        held += patience.left();
        patience.waited(patience.left());
        patience.unverified(std::min(piece_bytes, tree_bytes - sent));
    }
    return held;
}

// The tree of the largest file that is accepted takes ten minutes at most, that of 4 GiB not two,
// in pieces of whatever size.
TEST(Patience, ANodeCannotHoldAClientForLong) {
    const ClientOptions options;
    const std::uint64_t largest = options.content_bytes_max / (256 << 10) * 64;
    for (const std::uint64_t piece : {std::uint64_t{32}, std::uint64_t{1000}, kPieceBytes}) {
        EXPECT_LT(held(largest, piece, options), 10min) << piece;
        EXPECT_GT(held(largest, piece, options), 9min) << piece;
        EXPECT_LT(held(1 << 20, piece, options), 2min) << piece;
    }
}

// What came fast buys no standstill at the end.
TEST(Patience, WhatCameFastBuysNoStandstill) {
    const ClientOptions options;
    Patience patience(options);
    for (int i = 0; i < 1000; ++i) patience.unverified(kPieceBytes);
    EXPECT_EQ(patience.left(), options.answer_deadline);
}

// A link at the least rate with standstills of a third of the deadline is waited for, to the end of
// the tree of 4 GiB; and a link of an honest node that paces trees, to the end of the largest.
TEST(Patience, SlowLinksAreWaitedFor) {
    const ClientOptions options;

    struct Link {
        std::uint64_t tree_bytes;
        std::uint64_t bytes_per_s;
    };

    for (const Link& link : {Link{1 << 20, 16 << 10}, Link{64 << 20, 128 << 10}}) {
        Patience patience(options);
        const auto each = 1s * kPieceBytes / link.bytes_per_s;
        Duration owed{};
        std::uint64_t pieces = 0;
        for (std::uint64_t sent = 0; sent < link.tree_bytes; sent += kPieceBytes, ++pieces) {
            // A standstill, after which what was held up comes at once.
            Duration wait = each;
            if (pieces % 40 == 0) {
                wait += options.answer_deadline / 3;
                owed += options.answer_deadline / 3;
            } else if (owed > Duration{}) {
                const Duration caught_up = std::min<Duration>(owed, each);
                wait -= caught_up;
                owed -= caught_up;
            }
            ASSERT_GT(patience.left(), wait) << link.tree_bytes << " at " << sent;
            patience.waited(wait);
            patience.unverified(kPieceBytes);
        }
    }
}

// Progress gives all the time again, and the grace for the first bytes.
TEST(Patience, ProgressBeginsAnew) {
    const ClientOptions options;
    Patience patience(options);
    patience.unverified(options.unverified_slow_bytes);
    EXPECT_EQ(patience.bytes_per_s_min(), options.unverified_bytes_per_s_min);
    patience.waited(1h);
    EXPECT_EQ(patience.left(), Duration{});
    patience.progressed();
    EXPECT_EQ(patience.left(), options.answer_deadline);
    EXPECT_EQ(patience.bytes_per_s_min(), options.unverified_slow_bytes_per_s_min);
}

}  // namespace
}  // namespace draco::client
