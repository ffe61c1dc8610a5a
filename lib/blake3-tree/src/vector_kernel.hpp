#pragma once
// The kernel on vectors of 32-bit words, written once and compiled for each instruction set by a
// file that includes this one. Two layouts:
//   - one message at a time: the 4x4 state in four vectors of 4 words;
//   - `Lanes` messages at a time: word i of all of them in vector i, so that the rounds are the
//     plain scalar rounds; only loading and storing must transpose.
// Everything is in an unnamed namespace on purpose: each including file needs its own copy. Vectors
// are stored as they are, so this is for little-endian machines (all that have these instructions).

#include "kernel.hpp"

#include <cstring>
#include <utility>

namespace draco::blake3_tree {
namespace {

#define DRACO_INLINE [[gnu::always_inline]] inline

template <unsigned Lanes>
struct VectorOf {
    using Type __attribute__((vector_size(4 * Lanes))) = std::uint32_t;
};

template <unsigned Lanes>
using Vector = typename VectorOf<Lanes>::Type;
using Quad = Vector<4>;

DRACO_INLINE Quad load_quad(const void* from) {
    Quad quad;
    std::memcpy(&quad, from, sizeof quad);
    return quad;
}

template <int Bits, class V>
DRACO_INLINE V rotate_right(V x) {
    return x >> Bits | x << (32 - Bits);
}

// The quarter round G of section 2.2; `a` is ready before `b`, so the message is added to it first.
template <class V>
DRACO_INLINE void mix(V& a, V& b, V& c, V& d, V x, V y) {
    a = (a + x) + b;
    d = rotate_right<16>(d ^ a);
    c = c + d;
    b = rotate_right<12>(b ^ c);
    a = (a + y) + b;
    d = rotate_right<8>(d ^ a);
    c = c + d;
    b = rotate_right<7>(b ^ c);
}

// ---- one message at a time

struct Rows {
    Quad a, b, c, d;
};

template <int Round, int... Place>
DRACO_INLINE Quad scheduled(const Vector<16>& message) {
    return __builtin_shufflevector(message, message, kSchedule.word[Round][Place]...);
}

// Four column and four diagonal quarter rounds. The diagonals are lined up on `b`, the row that is
// ready last, by turning the other three.
template <int Round>
DRACO_INLINE void round_of_rows(Rows& v, const Vector<16>& message) {
    mix(v.a,
        v.b,
        v.c,
        v.d,
        scheduled<Round, 0, 2, 4, 6>(message),
        scheduled<Round, 1, 3, 5, 7>(message));
    v.a = __builtin_shufflevector(v.a, v.a, 3, 0, 1, 2);
    v.c = __builtin_shufflevector(v.c, v.c, 1, 2, 3, 0);
    v.d = __builtin_shufflevector(v.d, v.d, 2, 3, 0, 1);
    mix(v.a,
        v.b,
        v.c,
        v.d,
        scheduled<Round, 14, 8, 10, 12>(message),
        scheduled<Round, 15, 9, 11, 13>(message));
    v.a = __builtin_shufflevector(v.a, v.a, 1, 2, 3, 0);
    v.c = __builtin_shufflevector(v.c, v.c, 3, 0, 1, 2);
    v.d = __builtin_shufflevector(v.d, v.d, 2, 3, 0, 1);
}

template <int... Round>
DRACO_INLINE void rounds_of_rows(Rows& v,
                                 const Vector<16>& message,
                                 std::integer_sequence<int, Round...>) {
    (round_of_rows<Round>(v, message), ...);
}

DRACO_INLINE Rows run_rounds(Quad chaining_low,
                             Quad chaining_high,
                             const std::uint8_t* message,
                             std::uint8_t message_bytes,
                             std::uint64_t counter,
                             std::uint8_t flags) {
    Vector<16> words;
    std::memcpy(&words, message, sizeof words);
    Rows v = {chaining_low,
              chaining_high,
              load_quad(kIv),
              Quad{static_cast<std::uint32_t>(counter),
                   static_cast<std::uint32_t>(counter >> 32),
                   message_bytes,
                   flags}};
    rounds_of_rows(v, words, std::make_integer_sequence<int, kRounds>{});
    return v;
}

void compress(std::uint32_t* chaining,
              const std::uint8_t* message,
              std::uint8_t message_bytes,
              std::uint64_t counter,
              std::uint8_t flags) {
    const Rows v = run_rounds(
        load_quad(chaining), load_quad(chaining + 4), message, message_bytes, counter, flags);
    const Quad out[2] = {v.a ^ v.c, v.b ^ v.d};
    std::memcpy(chaining, out, sizeof out);
}

void compress_wide(const std::uint32_t* chaining,
                   const std::uint8_t* message,
                   std::uint8_t message_bytes,
                   std::uint64_t counter,
                   std::uint8_t flags,
                   std::uint8_t* out) {
    const Quad low = load_quad(chaining);
    const Quad high = load_quad(chaining + 4);
    const Rows v = run_rounds(low, high, message, message_bytes, counter, flags);
    const Quad words[4] = {v.a ^ v.c, v.b ^ v.d, v.c ^ low, v.d ^ high};
    std::memcpy(out, words, sizeof words);
}

// ---- `Lanes` messages at a time

// Element `at` of the vector that holds, for each aligned group of four, the first or last two
// elements of two inputs interleaved (Unit 1) or side by side (Unit 2).
template <unsigned Lanes, unsigned Unit, bool High>
constexpr int unpacked_index(unsigned at) {
    const unsigned in_group = at % 4;
    const unsigned from_second = Unit == 1 ? in_group % 2 : in_group / 2;
    const unsigned place = (Unit == 1 ? in_group / 2 : in_group % 2) + (High ? 2 : 0);
    return static_cast<int>(from_second * Lanes + at / 4 * 4 + place);
}

template <unsigned Lanes, unsigned Unit, bool High, unsigned... At>
DRACO_INLINE Vector<Lanes> unpack(Vector<Lanes> a,
                                  Vector<Lanes> b,
                                  std::integer_sequence<unsigned, At...>) {
    return __builtin_shufflevector(a, b, unpacked_index<Lanes, Unit, High>(At)...);
}

// Transposes each 4x4 matrix formed by one aligned group of four elements in four vectors.
template <unsigned Lanes>
DRACO_INLINE void transpose_quads(Vector<Lanes>* v) {
    constexpr std::make_integer_sequence<unsigned, Lanes> kEach{};
    const auto ab_low = unpack<Lanes, 1, false>(v[0], v[1], kEach);
    const auto ab_high = unpack<Lanes, 1, true>(v[0], v[1], kEach);
    const auto cd_low = unpack<Lanes, 1, false>(v[2], v[3], kEach);
    const auto cd_high = unpack<Lanes, 1, true>(v[2], v[3], kEach);
    v[0] = unpack<Lanes, 2, false>(ab_low, cd_low, kEach);
    v[1] = unpack<Lanes, 2, true>(ab_low, cd_low, kEach);
    v[2] = unpack<Lanes, 2, false>(ab_high, cd_high, kEach);
    v[3] = unpack<Lanes, 2, true>(ab_high, cd_high, kEach);
}

// Where the message of each lane lies. Lanes past the last repeat it, so that a group may be short.
template <std::size_t StrideBytes>
struct LaneAddress {
    const std::uint8_t* input;
    unsigned last_lane;

    DRACO_INLINE const std::uint8_t* of(unsigned lane) const {
        return input + (lane < last_lane ? lane : last_lane) * StrideBytes;
    }
};

template <unsigned Lanes, int... At>
DRACO_INLINE Vector<Lanes> join(Vector<Lanes / 2> low,
                                Vector<Lanes / 2> high,
                                std::integer_sequence<int, At...>) {
    return __builtin_shufflevector(low, high, At...);
}

// Group g of four elements holds the four words at `offset` of lane First + 4 * g.
template <unsigned Lanes, unsigned First, std::size_t StrideBytes>
DRACO_INLINE Vector<Lanes> gather_quads(LaneAddress<StrideBytes> lanes, std::size_t offset) {
    if constexpr (Lanes == 4) {
        return load_quad(lanes.of(First) + offset);
    } else {
        constexpr unsigned kHalf = Lanes / 2;
        const auto low = gather_quads<kHalf, First>(lanes, offset);
        const auto high = gather_quads<kHalf, First + kHalf>(lanes, offset);
        return join<Lanes>(low, high, std::make_integer_sequence<int, Lanes>{});
    }
}

// m[i] = word i of the message at `offset` of every lane.
template <unsigned Lanes, std::size_t StrideBytes>
DRACO_INLINE void load_messages(LaneAddress<StrideBytes> lanes,
                                std::size_t offset,
                                Vector<Lanes>* m) {
    for (std::size_t quad = 0; quad < 4; ++quad) {
        m[4 * quad] = gather_quads<Lanes, 0>(lanes, offset + 16 * quad);
        m[4 * quad + 1] = gather_quads<Lanes, 1>(lanes, offset + 16 * quad);
        m[4 * quad + 2] = gather_quads<Lanes, 2>(lanes, offset + 16 * quad);
        m[4 * quad + 3] = gather_quads<Lanes, 3>(lanes, offset + 16 * quad);
        transpose_quads<Lanes>(m + 4 * quad);
    }
}

template <unsigned Lanes>
DRACO_INLINE void store_chaining(Vector<Lanes>* h, unsigned lane_count, std::uint8_t* out) {
    transpose_quads<Lanes>(h);
    transpose_quads<Lanes>(h + 4);
    for (unsigned lane = 0; lane < lane_count; ++lane, out += kHashBytes) {
        const unsigned at = lane / 4 * 16;
        std::memcpy(out, reinterpret_cast<const std::uint8_t*>(h + lane % 4) + at, 16);
        std::memcpy(out + 16, reinterpret_cast<const std::uint8_t*>(h + 4 + lane % 4) + at, 16);
    }
}

template <unsigned Lanes, int Round>
DRACO_INLINE void round_of_lanes(Vector<Lanes>* v, const Vector<Lanes>* m) {
    constexpr auto& kWord = kSchedule.word[Round];
    mix(v[0], v[4], v[8], v[12], m[kWord[0]], m[kWord[1]]);
    mix(v[1], v[5], v[9], v[13], m[kWord[2]], m[kWord[3]]);
    mix(v[2], v[6], v[10], v[14], m[kWord[4]], m[kWord[5]]);
    mix(v[3], v[7], v[11], v[15], m[kWord[6]], m[kWord[7]]);
    mix(v[0], v[5], v[10], v[15], m[kWord[8]], m[kWord[9]]);
    mix(v[1], v[6], v[11], v[12], m[kWord[10]], m[kWord[11]]);
    mix(v[2], v[7], v[8], v[13], m[kWord[12]], m[kWord[13]]);
    mix(v[3], v[4], v[9], v[14], m[kWord[14]], m[kWord[15]]);
}

template <unsigned Lanes, int... Round>
DRACO_INLINE void rounds_of_lanes(Vector<Lanes>* v,
                                  const Vector<Lanes>* m,
                                  std::integer_sequence<int, Round...>) {
    (round_of_lanes<Lanes, Round>(v, m), ...);
}

// What distinguishes hashing chunks from hashing parents.
template <std::size_t Messages>
struct GroupInput {
    static constexpr std::size_t kStrideBytes = Messages * kMessageBytes;
    const std::uint32_t* key_words;
    std::uint64_t counter;       // of lane 0
    std::uint64_t counter_step;  // from lane to lane
    std::uint8_t flags;          // in every message
    std::uint8_t first_flags;    // in the first message also
    std::uint8_t last_flags;     // in the last message also
};

template <unsigned Lanes, std::size_t Messages>
DRACO_INLINE void hash_group(const GroupInput<Messages>& group,
                             LaneAddress<GroupInput<Messages>::kStrideBytes> lanes,
                             std::uint8_t* out) {
    using V = Vector<Lanes>;
    V h[8];
    for (int i = 0; i < 8; ++i) h[i] = V{} + group.key_words[i];
    V counter_low;
    V counter_high;
    for (unsigned lane = 0; lane < Lanes; ++lane) {
        const std::uint64_t counter = group.counter + lane * group.counter_step;
        counter_low[lane] = static_cast<std::uint32_t>(counter);
        counter_high[lane] = static_cast<std::uint32_t>(counter >> 32);
    }
    for (std::size_t i = 0; i < Messages; ++i) {
        V m[16];
        load_messages<Lanes>(lanes, i * kMessageBytes, m);
        const std::uint32_t flags = group.flags | (i == 0 ? group.first_flags : 0U) |
                                    (i + 1 == Messages ? group.last_flags : 0U);
        V v[16] = {h[0],
                   h[1],
                   h[2],
                   h[3],
                   h[4],
                   h[5],
                   h[6],
                   h[7],
                   V{} + kIv[0],
                   V{} + kIv[1],
                   V{} + kIv[2],
                   V{} + kIv[3],
                   counter_low,
                   counter_high,
                   V{} + static_cast<std::uint32_t>(kMessageBytes),
                   V{} + flags};
        rounds_of_lanes<Lanes>(v, m, std::make_integer_sequence<int, kRounds>{});
        for (int j = 0; j < 8; ++j) h[j] = v[j] ^ v[j + 8];
    }
    store_chaining<Lanes>(h, lanes.last_lane + 1, out);
}

// The narrowest vectors that hold what is left of a run of inputs; a single one goes through
// compress().
template <unsigned Lanes, std::size_t Messages>
void hash_rest(GroupInput<Messages> group,
               const std::uint8_t* input,
               std::size_t count,
               std::uint8_t* out) {
    if constexpr (Lanes > 4) {
        if (count <= Lanes / 2) return hash_rest<Lanes / 2>(group, input, count, out);
    }
    if (count > 1) {
        return hash_group<Lanes>(group, {input, static_cast<unsigned>(count - 1)}, out);
    }
    std::uint32_t chaining[8];
    std::memcpy(chaining, group.key_words, sizeof chaining);
    for (std::size_t i = 0; i < Messages; ++i) {
        const int flags = group.flags | (i == 0 ? group.first_flags : 0) |
                          (i + 1 == Messages ? group.last_flags : 0);
        compress(chaining,
                 input + i * kMessageBytes,
                 kMessageBytes,
                 group.counter,
                 static_cast<std::uint8_t>(flags));
    }
    std::memcpy(out, chaining, sizeof chaining);
}

template <unsigned Lanes, std::size_t Messages>
void hash_many(GroupInput<Messages> group,
               const std::uint8_t* input,
               std::size_t count,
               std::uint8_t* out) {
    while (count >= Lanes) {
        hash_group<Lanes>(group, {input, Lanes - 1}, out);
        input += Lanes * group.kStrideBytes;
        out += Lanes * kHashBytes;
        group.counter += Lanes * group.counter_step;
        count -= Lanes;
    }
    if (count > 0) hash_rest<Lanes>(group, input, count, out);
}

template <unsigned Lanes>
void hash_chunks(const std::uint8_t* input,
                 std::size_t count,
                 const std::uint32_t* key_words,
                 std::uint64_t first_chunk,
                 std::uint8_t mode_flags,
                 std::uint8_t* out) {
    const GroupInput<kChunkMessages> group = {
        key_words, first_chunk, 1, mode_flags, kChunkStart, kChunkEnd};
    hash_many<Lanes>(group, input, count, out);
}

template <unsigned Lanes>
void hash_parents(const std::uint8_t* children,
                  std::size_t count,
                  const std::uint32_t* key_words,
                  std::uint8_t mode_flags,
                  std::uint8_t* out) {
    const GroupInput<1> group = {
        key_words, 0, 0, static_cast<std::uint8_t>(mode_flags | kParent), 0, 0};
    hash_many<Lanes>(group, children, count, out);
}

template <unsigned Lanes>
constexpr Kernel kVectorKernel = {compress, compress_wide, hash_chunks<Lanes>, hash_parents<Lanes>};

#undef DRACO_INLINE

}  // namespace
}  // namespace draco::blake3_tree
