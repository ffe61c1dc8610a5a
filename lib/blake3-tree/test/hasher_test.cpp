#include "draco/blake3_tree/hasher.hpp"

#include "draco/testing/seed.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace draco::blake3_tree {
namespace {

struct Vector {
    std::size_t input_bytes = 0;
    std::string hash;
    std::string keyed;
    std::string derived;
};

constexpr std::string_view kKey = "whats the Elvish word for friend";
constexpr std::string_view kContext = "BLAKE3 2019-12-27 16:29:52 test vectors context";

Key vector_key() {
    Key key;
    std::ranges::copy(as_bytes(kKey), key.bytes.begin());
    return key;
}

std::vector<Vector> read_vectors() {
    std::ifstream file(DRACO_MODULE_DIR "/vectors/blake3.txt");
    std::vector<Vector> vectors;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream fields(line);
        Vector vector;
        fields >> vector.input_bytes >> vector.hash >> vector.keyed >> vector.derived;
        vectors.push_back(vector);
    }
    return vectors;
}

void expect_output(const Mode& mode, ByteView input, const std::string& expected_hex) {
    const Bytes expected = *from_hex(expected_hex);
    EXPECT_EQ(to_hex(hash(input, mode).view()), expected_hex.substr(0, 64));

    Hasher hasher(mode);
    hasher.update(input);
    Bytes whole(expected.size());
    hasher.output().read(whole);
    EXPECT_EQ(to_hex(whole), expected_hex);
    for (std::size_t offset = 0; offset < expected.size(); offset += 13) {
        OutputReader reader = hasher.output();
        reader.seek(offset);
        Bytes part(std::min<std::size_t>(70, expected.size() - offset));
        reader.read(part);
        EXPECT_TRUE(equal(part, ByteView(expected).subspan(offset, part.size()))) << offset;
        EXPECT_EQ(reader.offset(), offset + part.size());
    }
}

TEST(Hasher, OfficialVectorsOnEveryPath) {
    // Every code path gives the official outputs, in all modes, whole and from any offset.
    const auto vectors = read_vectors();
    ASSERT_EQ(vectors.size(), 35U);
    for (const auto set : sample::instruction_sets()) {
        SCOPED_TRACE(static_cast<int>(set));
        for (const Vector& vector : vectors) {
            SCOPED_TRACE(vector.input_bytes);
            const Bytes input = sample::counting(vector.input_bytes);
            expect_output(Mode::plain().on(set), input, vector.hash);
            expect_output(Mode::keyed(vector_key()).on(set), input, vector.keyed);
            expect_output(Mode::derive_key(kContext).on(set), input, vector.derived);
        }
    }
}

TEST(Hasher, ModelAgreesWithOfficialVectors) {
    // The oracle of the other tests is itself right.
    for (const Vector& vector : read_vectors()) {
        const Bytes input = sample::counting(vector.input_bytes);
        EXPECT_EQ(to_hex(model::output({}, input, 131)), vector.hash);
        EXPECT_EQ(to_hex(model::output(model::keyed(as_bytes(kKey)), input, 131)), vector.keyed);
        EXPECT_EQ(to_hex(model::output(model::derive_key(kContext), input, 131)), vector.derived);
    }
}

TEST(Hasher, EveryChunkCountOnEveryPath) {
    // Full, short and single-lane groups of every width, with and without a partial last chunk.
    for (std::size_t chunks = 1; chunks <= 70; ++chunks) {
        const Bytes input = sample::counting(chunks * kChunkBytes + 77);
        for (const std::size_t extra : {0U, 1U, 77U}) {
            const ByteView part = ByteView(input).first(chunks * kChunkBytes - 77 + extra);
            const Hash expected = model::to_hash(model::output({}, part, 32));
            for (const auto set : sample::instruction_sets())
                ASSERT_EQ(hash(part, Mode::plain().on(set)), expected)
                    << chunks << " " << extra << " " << static_cast<int>(set);
        }
    }
}

TEST(Hasher, CountersPast32Bits) {
    // The high half of the chunk counter reaches every lane.
    const Bytes input = sample::counting(64 * kChunkBytes);
    for (const std::uint64_t first : {(1ULL << 32) - 64, 1ULL << 32, 5ULL << 40, 1ULL << 53}) {
        const Hash expected = model::to_hash(model::subtree({}, input, first, model::Place::Inner));
        for (const auto set : sample::instruction_sets()) {
            Hasher hasher(Mode::plain().on(set), first);
            hasher.update(input);
            EXPECT_EQ(hasher.node().chaining_value(), expected) << first;
        }
    }
}

TEST(Hasher, RandomLengthsAndSplits) {
    // Any way of cutting the input into updates gives the model's hash.
    std::mt19937_64 rng(testing::test_seed(0xB1A3E3));
    for (std::uint64_t round = 0; round < testing::scaled(300); ++round) {
        const Bytes input = sample::random(rng() % (std::size_t{1} << (rng() % 19)), rng);
        const Hash expected = model::to_hash(model::output({}, input, 32));
        const auto sets = sample::instruction_sets();
        Hasher hasher(Mode::plain().on(sets[rng() % sets.size()]));
        for (ByteView rest = input; !rest.empty();) {
            const std::size_t size_max = std::size_t{1} << (rng() % 18);
            const std::size_t taken = std::min<std::size_t>(rest.size(), rng() % (size_max + 1));
            hasher.update(rest.first(taken));
            rest = rest.subspan(taken);
        }
        ASSERT_EQ(hasher.bytes(), input.size());
        ASSERT_EQ(hasher.finish(), expected) << input.size();
        ASSERT_EQ(hash(input), expected) << input.size();
    }
}

TEST(Hasher, FinishLeavesTheHasherUsable) {
    // A hash may be taken after every update; it is that of the bytes so far.
    const Bytes input = sample::counting(40 * kChunkBytes + 5);
    Hasher hasher;
    for (std::size_t at = 0; at < input.size(); at += 700) {
        const ByteView piece =
            ByteView(input).subspan(at, std::min<std::size_t>(700, input.size() - at));
        hasher.update(piece);
        ASSERT_EQ(hasher.finish(), hash(ByteView(input).first(at + piece.size())));
    }
}

TEST(Hasher, OutputFarOut) {
    // Output can be read at offsets past 2^32 blocks, where the counter needs its high half.
    const Hasher hasher;
    const std::uint64_t block = (std::uint64_t{1} << 32) + 3;
    OutputReader reader = hasher.output();
    reader.seek(block * 64);
    Bytes out(64);
    reader.read(out);
    Bytes expected;
    for (const std::uint32_t word : model::compress(model::kInitial, {}, block, 1 | 2 | 8))
        for (int shift = 0; shift < 32; shift += 8)
            expected.push_back(static_cast<std::uint8_t>(word >> shift));
    EXPECT_EQ(to_hex(out), to_hex(expected));
}

}  // namespace
}  // namespace draco::blake3_tree
