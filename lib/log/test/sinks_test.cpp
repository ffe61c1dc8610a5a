// Proves that a MemoryLog remembers what was said, within its bound, and that a TeeLog tells every
// log that wants to know.

#include "draco/log/sinks.hpp"

#include <gtest/gtest.h>

namespace draco::log {
namespace {

TEST(MemoryLog, RemembersMessagesAndFields) {
    MemoryLog memory;
    const Logger logger(memory, "consensus");
    logger.warn("late", {{"round", std::uint64_t{3}}, {"peer", "abc"}});
    const auto entries = memory.entries();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].level, Level::Warn);
    EXPECT_EQ(entries[0].component, "consensus");
    EXPECT_EQ(entries[0].field("round"), Value(std::uint64_t{3}));
    EXPECT_EQ(entries[0].field("peer"), Value("abc"));
    EXPECT_EQ(entries[0].field("none"), std::nullopt);
    EXPECT_EQ(memory.count("late"), 1U);
    memory.clear();
    EXPECT_EQ(memory.count("late"), 0U);
}

TEST(MemoryLog, ForgetsTheOldest) {
    MemoryLog memory(Level::Info, 2);
    const Logger logger(memory, "test");
    logger.debug("below its level");
    for (const char* message : {"a", "b", "c"}) logger.info(message);
    ASSERT_EQ(memory.entries().size(), 2U);
    EXPECT_EQ(memory.entries()[0].message, "b");
}

TEST(TeeLog, TellsThoseWhoWantToKnow) {
    MemoryLog all(Level::Debug);
    MemoryLog errors(Level::Error);
    TeeLog tee({&all, &errors});
    const Logger logger(tee, "test");
    EXPECT_FALSE(tee.enabled(Level::Trace));
    logger.debug("detail");
    logger.error("trouble");
    EXPECT_EQ(all.entries().size(), 2U);
    ASSERT_EQ(errors.entries().size(), 1U);
    EXPECT_EQ(errors.entries()[0].message, "trouble");
}

}  // namespace
}  // namespace draco::log
