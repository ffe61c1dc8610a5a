// Base58 leaves nothing behind of what it converts. It runs on a stack that the test owns and looks
// through afterwards, while operator delete counts the memory that is given back.

#include "draco/base/text_encoding.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>
#include <ucontext.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <random>

namespace {

int frees = 0;

}  // namespace

// Replaces the library's for this executable, to count.
void* operator new(std::size_t size) {
    if (void* memory = std::malloc(size)) return memory;  // NOLINT(*-no-malloc): is the allocator
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
    if (memory != nullptr) ++frees;
    std::free(memory);  // NOLINT(*-no-malloc): is the allocator
}

void operator delete(void* memory, std::size_t) noexcept {
    operator delete(memory);
}

namespace draco {
namespace {

const std::function<void()>* call_to_run = nullptr;

// The stack on which a call ran, as the call left it.
Bytes stack_after(const std::function<void()>& call) {
    Bytes stack(std::size_t{1} << 18);
    ucontext_t here;
    ucontext_t there;
    EXPECT_EQ(getcontext(&there), 0);
    there.uc_stack.ss_sp = stack.data();
    there.uc_stack.ss_size = stack.size();
    there.uc_link = &here;
    call_to_run = &call;
    makecontext(&there, [] { (*call_to_run)(); }, 0);
    EXPECT_EQ(swapcontext(&here, &there), 0);
    return stack;
}

// Whether any 8 bytes that follow each other in the secret stand in the memory, either way round.
bool holds_a_part(ByteView memory, ByteView secret) {
    constexpr std::size_t kPartBytes = 8;
    for (std::size_t at = 0; at + kPartBytes <= secret.size(); ++at) {
        Bytes part = to_bytes(secret.subspan(at, kPartBytes));
        if (!std::ranges::search(memory, part).empty()) return true;
        std::ranges::reverse(part);
        if (!std::ranges::search(memory, part).empty()) return true;
    }
    return false;
}

// The values of base58 digits, as scratch memory holds them.
Bytes digit_values(std::string_view text) {
    constexpr std::string_view kDigits =
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    Bytes values;
    for (const char c : text) values.push_back(static_cast<std::uint8_t>(kDigits.find(c)));
    return values;
}

TEST(Base58Secrets, LeavesNoCopyOfWhatItConverts) {
    // Of 82 bytes, as an extended private key has: both ways, and for text that is refused at its
    // last character or for its length.
    std::mt19937_64 rng(testing::test_seed(82));
    Bytes secret(82);
    for (auto& byte : secret) byte = static_cast<std::uint8_t>(rng() | 1);
    std::string text;
    Result<Bytes> decoded;
    int frees_seen = 0;
    const auto expect_clean = [&](const std::function<void()>& convert) {
        const Bytes stack = stack_after([&] {
            frees = 0;
            convert();
            frees_seen = frees;
        });
        EXPECT_FALSE(holds_a_part(stack, secret));
        EXPECT_FALSE(holds_a_part(stack, digit_values(text)));
    };
    expect_clean([&] { text = to_base58(secret); });
    EXPECT_EQ(frees_seen, 0) << "memory with a copy was given back";
    expect_clean([&] { decoded = from_base58(text, secret.size()); });
    EXPECT_EQ(frees_seen, 0) << "memory with a copy was given back";
    EXPECT_EQ(decoded, secret);
    const std::string mistyped = text + "0";
    expect_clean([&] { decoded = from_base58(mistyped); });
    EXPECT_FALSE(decoded);
    expect_clean([&] { decoded = from_base58(text, secret.size() - 1); });
    EXPECT_FALSE(decoded);
}

TEST(Base58Secrets, TheSearchFindsACopy) {
    // The test above can fail: bytes left on the stack are found, a vector that grew is counted.
    const Bytes secret = to_bytes(as_bytes("a secret that stays on the stack"));
    const Bytes stack = stack_after([&] [[clang::no_sanitize("address")]] () {
        volatile std::uint8_t copy[64];
        for (std::size_t i = 0; i < secret.size(); ++i) copy[i] = secret[i];
        frees = 0;
        Bytes grown;
        for (const auto byte : secret) grown.push_back(byte);
        EXPECT_GT(frees, 0);
    });
    EXPECT_TRUE(holds_a_part(stack, secret));
}

}  // namespace
}  // namespace draco
