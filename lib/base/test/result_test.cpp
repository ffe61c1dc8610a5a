#include "draco/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace draco {
namespace {

Result<std::unique_ptr<int>> make_number(bool ok) {
    if (!ok) return fail(Errc::NotFound, "no number here");
    return std::make_unique<int>(4);
}

Result<std::string> name_number(bool ok) {
    DRACO_TRY(number, make_number(ok));
    return std::to_string(*number);
}

Result<> require(bool ok) {
    if (!ok) return fail(Errc::Exhausted, "full");
    return {};
}

Result<int> count_after(bool ok, int& reached) {
    DRACO_TRY_VOID(require(ok));
    return ++reached;
}

TEST(Result, TryUnwrapsMoveOnlyValues) {
    // DRACO_TRY moves the value out, so types without a copy constructor work.
    EXPECT_EQ(name_number(true).value(), "4");
}

TEST(Result, TryReturnsTheErrorUnchanged) {
    // Code and context of the inner error reach the outer caller as they are.
    EXPECT_EQ(name_number(false).error(), (Error{Errc::NotFound, "no number here"}));
}

TEST(Result, TryVoidStopsAtTheFirstError) {
    // The statement after a failed DRACO_TRY_VOID does not run.
    int reached = 0;
    EXPECT_EQ(count_after(false, reached).error().code, Errc::Exhausted);
    EXPECT_EQ(reached, 0);
    EXPECT_EQ(count_after(true, reached).value(), 1);
}

TEST(Result, AndThenSkipsTheStepAfterAnError) {
    // and_then runs its step only on success, for value and void results alike.
    int calls = 0;
    const auto step = [&](const std::string& text) -> Result<std::size_t> {
        ++calls;
        return text.size();
    };
    EXPECT_FALSE(name_number(false).and_then(step).has_value());
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(name_number(true).and_then(step).value(), 1U);
    EXPECT_FALSE(require(false).and_then([&]() -> Result<int> { return ++calls; }).has_value());
    EXPECT_EQ(calls, 1);
}

TEST(Result, MapErrorTranslatesAtTheBoundary) {
    // map_error changes the error type and leaves a value alone.
    const auto to_status = [](const Error&) { return 404; };
    EXPECT_EQ(name_number(false).map_error(to_status).error(), 404);
    EXPECT_EQ(name_number(true).map_error(to_status).value(), "4");
    EXPECT_TRUE(require(true).map_error(to_status).has_value());
}

TEST(Result, TransformMapsTheValueOnly) {
    // transform applies to a value and hands an error through.
    const auto length = [](const std::string& text) { return text.size(); };
    EXPECT_EQ(name_number(true).transform(length).value(), 1U);
    EXPECT_EQ(name_number(false).transform(length).error().code, Errc::NotFound);
}

TEST(Error, PrintsItsCodeAndContext) {
    // What a person reads starts with the kind of failure.
    EXPECT_EQ(to_string(Error{Errc::Corrupt, "block 3: hash differs"}),
              "Corrupt: block 3: hash differs");
}

}  // namespace
}  // namespace draco
