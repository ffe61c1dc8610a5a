#include "draco/crypto/secret.hpp"

#include "draco/crypto/ed25519.hpp"
#include "draco/crypto/secp256k1.hpp"
#include "draco/crypto/system_rng.hpp"

#include <gtest/gtest.h>

#include <new>
#include <ostream>
#include <type_traits>

namespace draco::crypto {
namespace {

struct KindA {
    static constexpr std::uint8_t kTag = 1;
};

using Secret = SecretBytes<struct ExampleTag, 32>;

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

// Secrets move, and nothing else happens to them by accident.
template <class T>
constexpr bool kIsGuarded =
    std::is_move_constructible_v<T> && !std::is_copy_constructible_v<T> &&
    !std::is_copy_assignable_v<T> && !std::equality_comparable<T> && !Printable<T>;

static_assert(kIsGuarded<Secret>);
static_assert(kIsGuarded<SecretBuffer>);
static_assert(kIsGuarded<Ed25519SecretKey<KindA>>);
static_assert(kIsGuarded<Secp256k1SecretKey>);
static_assert(!std::is_convertible_v<Secret, SecretBytes<struct OtherTag, 32>>);

// Storage that outlives the object in it, so its last bytes can be looked at.
template <class T>
struct Cell {
    alignas(T) std::array<std::uint8_t, sizeof(T)> bytes;

    template <class... Args>
    T* put(Args&&... args) {
        bytes.fill(0xee);
        return new (bytes.data()) T(std::forward<Args>(args)...);
    }

    // Read through volatile, as the compiler may assume that a dead object's bytes are not looked
    // at.
    bool holds(ByteView secret) const {
        const volatile std::uint8_t* const from = bytes.data();
        Bytes seen(bytes.size());
        for (std::size_t i = 0; i < seen.size(); ++i) seen[i] = from[i];
        return !std::ranges::search(seen, secret).empty();
    }
};

Bytes pattern(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(17 + 5 * i);
    return bytes;
}

TEST(Secret, IsWipedWhenDestroyed) {
    // The bytes are in the object's memory before its destructor runs, and not after.
    const Bytes bytes = pattern(32);
    Cell<Secret> cell;
    Secret* const secret = cell.put(std::span<const std::uint8_t, 32>(bytes));
    ASSERT_TRUE(cell.holds(bytes));
    secret->~Secret();
    EXPECT_FALSE(cell.holds(bytes));
    EXPECT_TRUE(cell.holds(Bytes(32, 0)));
}

TEST(Secret, IsWipedWhenMovedFrom) {
    // Construction and assignment from an rvalue leave zeros behind.
    const Bytes bytes = pattern(32);
    Cell<Secret> cell;
    Secret* const from = cell.put(std::span<const std::uint8_t, 32>(bytes));
    Secret to = std::move(*from);
    EXPECT_FALSE(cell.holds(bytes));
    EXPECT_TRUE(equal(to.expose(), bytes));
    *from = to.clone();
    EXPECT_TRUE(cell.holds(bytes));
    to = std::move(*from);
    EXPECT_FALSE(cell.holds(bytes));
    from->~Secret();
}

TEST(Secret, KeysAreWipedWhenDestroyed) {
    // Keys of both curves, by searching their memory for the seed or scalar.
    const Bytes bytes = pattern(32);
    Cell<Ed25519SecretKey<KindA>> ed25519;
    auto* const ed25519_key = ed25519.put(Ed25519Seed(std::span<const std::uint8_t, 32>(bytes)));
    ASSERT_TRUE(ed25519.holds(bytes));
    ed25519_key->~Ed25519SecretKey();
    EXPECT_FALSE(ed25519.holds(bytes));

    auto made =
        Secp256k1SecretKey::from_scalar(Secp256k1Scalar(std::span<const std::uint8_t, 32>(bytes)));
    ASSERT_TRUE(made);
    Cell<Secp256k1SecretKey> secp256k1;
    auto* const secp256k1_key = secp256k1.put(*std::move(made));
    ASSERT_TRUE(secp256k1.holds(bytes));
    secp256k1_key->~Secp256k1SecretKey();
    EXPECT_FALSE(secp256k1.holds(bytes));
}

TEST(Secret, CellSeesWhatIsNotWiped) {
    // The check itself can fail: a plain array survives its destruction.
    const FixedBytes<struct PlainTag, 32> plain(std::span<const std::uint8_t, 32>(pattern(32)));
    Cell<FixedBytes<struct PlainTag, 32>> cell;
    std::destroy_at(cell.put(plain));
    EXPECT_TRUE(cell.holds(pattern(32)));
}

TEST(SecretBuffer, MovesWithoutCopyingAndLeavesNothing) {
    // The memory itself changes hands, so there is no second copy to wipe.
    const Bytes bytes = pattern(100);
    SecretBuffer first{ByteView(bytes)};
    const std::uint8_t* const memory = first.expose().data();
    const SecretBuffer second = std::move(first);
    EXPECT_EQ(second.expose().data(), memory);
    EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move): the contract names this state
    SecretBuffer third = second.clone();
    EXPECT_TRUE(equal(third.expose(), bytes));
    third = SecretBuffer(3);
    EXPECT_TRUE(equal(third.expose(), Bytes(3, 0)));
}

TEST(ConstantTimeEqual, ComparesValuesAndLengths) {
    // Every single-bit difference is seen.
    const Bytes a = pattern(20);
    EXPECT_TRUE(constant_time_equal(a, pattern(20)));
    EXPECT_TRUE(constant_time_equal({}, {}));
    EXPECT_FALSE(constant_time_equal(a, ByteView(a).first(19)));
    for (std::size_t bit = 0; bit < 8 * a.size(); ++bit) {
        Bytes b = a;
        b[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(constant_time_equal(a, b));
    }
}

TEST(SystemRng, FillsEveryByteAndDoesNotRepeat) {
    // Over many short fills each byte is nonzero at least once, including past getrandom's 256.
    SystemRng rng;
    Bytes seen(1000, 0);
    Bytes drawn(1000);
    for (int round = 0; round < 16; ++round) {
        const Bytes before = drawn;
        rng.fill(drawn);
        EXPECT_NE(drawn, before);
        for (std::size_t i = 0; i < seen.size(); ++i) seen[i] |= drawn[i];
    }
    EXPECT_TRUE(std::ranges::none_of(seen, [](std::uint8_t byte) { return byte == 0; }));
}

}  // namespace
}  // namespace draco::crypto
