#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace draco::testing {
namespace {

std::optional<std::uint64_t>& seed_in_use() {
    static std::optional<std::uint64_t> seed;
    return seed;
}

std::optional<std::uint64_t> from_environment(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr || *text == '\0') return std::nullopt;
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(text, &end, 0);
    if (*end != '\0') {
        std::fprintf(stderr, "%s=%s is not a number\n", name, text);
        std::exit(2);
    }
    return value;
}

class SeedPrinter final : public ::testing::EmptyTestEventListener {
    void OnTestStart(const ::testing::TestInfo&) override { seed_in_use().reset(); }

    void OnTestEnd(const ::testing::TestInfo& info) override {
        if (!info.result()->Failed() || !seed_in_use()) return;
        std::printf("replay: DRACO_SEED=%" PRIu64 " %s --gtest_filter=%s.%s\n",
                    *seed_in_use(),
                    ::testing::internal::GetArgvs().front().c_str(),
                    info.test_suite_name(),
                    info.name());
    }
};

}  // namespace

std::uint64_t test_seed(std::uint64_t fallback) {
    seed_in_use() = from_environment("DRACO_SEED").value_or(fallback);
    return *seed_in_use();
}

std::uint64_t scaled(std::uint64_t count) {
    return count * from_environment("DRACO_TEST_SCALE").value_or(1);
}

}  // namespace draco::testing

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    ::testing::UnitTest::GetInstance()->listeners().Append(new draco::testing::SeedPrinter);
    return RUN_ALL_TESTS();
}
