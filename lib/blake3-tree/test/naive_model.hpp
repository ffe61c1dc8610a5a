#pragma once
// BLAKE3, its block tree and the proofs, written from the definitions as plainly as possible:
// recursive, one byte string at a time, sharing no code with the library. Slow.

#include "draco/blake3_tree/hasher.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string_view>
#include <vector>

namespace draco::blake3_tree::model {

using Words = std::array<std::uint32_t, 8>;
enum class Place { Inner, Root };

inline constexpr Words kInitial = {
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

inline std::array<std::uint32_t, 16> compress(const Words& h,
                                              ByteView message,
                                              std::uint64_t counter,
                                              std::uint32_t flags) {
    std::array<std::uint8_t, 64> padded{};
    std::ranges::copy(message, padded.begin());
    std::array<std::uint32_t, 16> m{};
    for (std::size_t i = 0; i < 64; ++i) m[i / 4] |= std::uint32_t{padded[i]} << (i % 4 * 8);
    std::array<std::uint32_t, 16> v = {h[0],
                                       h[1],
                                       h[2],
                                       h[3],
                                       h[4],
                                       h[5],
                                       h[6],
                                       h[7],
                                       kInitial[0],
                                       kInitial[1],
                                       kInitial[2],
                                       kInitial[3],
                                       static_cast<std::uint32_t>(counter),
                                       static_cast<std::uint32_t>(counter >> 32),
                                       static_cast<std::uint32_t>(message.size()),
                                       flags};
    const auto g = [&](int a, int b, int c, int d, std::uint32_t x, std::uint32_t y) {
        const auto at = [&](int i) -> std::uint32_t& { return v[static_cast<std::size_t>(i)]; };
        at(a) = at(a) + at(b) + x;
        at(d) = std::rotr(at(d) ^ at(a), 16);
        at(c) = at(c) + at(d);
        at(b) = std::rotr(at(b) ^ at(c), 12);
        at(a) = at(a) + at(b) + y;
        at(d) = std::rotr(at(d) ^ at(a), 8);
        at(c) = at(c) + at(d);
        at(b) = std::rotr(at(b) ^ at(c), 7);
    };
    for (int round = 0; round < 7; ++round) {
        g(0, 4, 8, 12, m[0], m[1]);
        g(1, 5, 9, 13, m[2], m[3]);
        g(2, 6, 10, 14, m[4], m[5]);
        g(3, 7, 11, 15, m[6], m[7]);
        g(0, 5, 10, 15, m[8], m[9]);
        g(1, 6, 11, 12, m[10], m[11]);
        g(2, 7, 8, 13, m[12], m[13]);
        g(3, 4, 9, 14, m[14], m[15]);
        const auto old = m;
        constexpr std::array<std::size_t, 16> kFrom = {
            2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
        for (std::size_t i = 0; i < 16; ++i) m[i] = old[kFrom[i]];
    }
    for (std::size_t i = 0; i < 8; ++i) {
        v[i] ^= v[i + 8];
        v[i + 8] ^= h[i];
    }
    return v;
}

struct Algorithm {
    Words key = kInitial;
    std::uint32_t flags = 0;
};

inline Words words_of(ByteView bytes) {
    Words words{};
    for (std::size_t i = 0; i < 32; ++i) words[i / 4] |= std::uint32_t{bytes[i]} << (i % 4 * 8);
    return words;
}

// The first out_bytes of output of the subtree; 32 if it is not the root.
inline Bytes subtree(const Algorithm& algorithm,
                     ByteView input,
                     std::uint64_t first_chunk,
                     Place place,
                     std::size_t out_bytes = 32) {
    Words h = algorithm.key;
    Bytes message;
    std::uint64_t counter = 0;
    std::uint32_t flags = algorithm.flags;
    if (input.size() <= 1024) {
        counter = first_chunk;
        flags |= 1;
        while (input.size() > 64) {
            const auto v = compress(h, input.first(64), counter, flags);
            std::copy_n(v.begin(), 8, h.begin());
            flags = algorithm.flags;
            input = input.subspan(64);
        }
        message = to_bytes(input);
        flags |= 2;
    } else {
        std::size_t left_chunks = 1;
        while (2 * left_chunks * 1024 < input.size()) left_chunks *= 2;
        message = subtree(algorithm, input.first(left_chunks * 1024), first_chunk, Place::Inner);
        append(message,
               subtree(algorithm,
                       input.subspan(left_chunks * 1024),
                       first_chunk + left_chunks,
                       Place::Inner));
        flags |= 4;
    }
    if (place == Place::Root) {
        flags |= 8;
        counter = 0;
    }
    Bytes out;
    for (; out.size() < out_bytes; ++counter)
        for (const std::uint32_t word : compress(h, message, counter, flags))
            for (int shift = 0; shift < 32; shift += 8)
                out.push_back(static_cast<std::uint8_t>(word >> shift));
    out.resize(out_bytes);
    return out;
}

inline Bytes output(const Algorithm& algorithm, ByteView input, std::size_t out_bytes) {
    return subtree(algorithm, input, 0, Place::Root, out_bytes);
}

inline Algorithm keyed(ByteView key) {
    return {.key = words_of(key), .flags = 16};
}

inline Algorithm derive_key(std::string_view context) {
    return {.key = words_of(output({.flags = 32}, as_bytes(context), 32)), .flags = 64};
}

inline Hash to_hash(ByteView bytes) {
    Hash hash;
    std::ranges::copy(bytes, hash.bytes.begin());
    return hash;
}

inline Hash parent(const Algorithm& algorithm, const Hash& left, const Hash& right, Place place) {
    Bytes message = to_bytes(left.view());
    append(message, right.view());
    const auto v =
        compress(algorithm.key, message, 0, algorithm.flags | 4 | (place == Place::Root ? 8U : 0U));
    Hash hash;
    for (std::size_t i = 0; i < 32; ++i)
        hash.bytes[i] = static_cast<std::uint8_t>(v[i / 4] >> (i % 4 * 8));
    return hash;
}

inline std::vector<Hash> leaves_of(const Algorithm& algorithm, ByteView content) {
    constexpr std::size_t kBlock = 262144;
    if (content.size() <= kBlock) return {to_hash(subtree(algorithm, content, 0, Place::Root))};
    std::vector<Hash> leaves;
    for (std::size_t at = 0; at < content.size(); at += kBlock)
        leaves.push_back(to_hash(subtree(algorithm,
                                         content.subspan(at, std::min(kBlock, content.size() - at)),
                                         at / 1024,
                                         Place::Inner)));
    return leaves;
}

inline std::size_t left_count(std::size_t leaves) {
    std::size_t left = 1;
    while (2 * left < leaves) left *= 2;
    return left;
}

// Appends the subtree over `leaves` in post-order and returns its top.
inline Hash post_order(const Algorithm& algorithm,
                       std::span<const Hash> leaves,
                       Place place,
                       std::vector<Hash>& out) {
    Hash top = leaves[0];
    if (leaves.size() > 1) {
        const std::size_t left = left_count(leaves.size());
        const Hash a = post_order(algorithm, leaves.first(left), Place::Inner, out);
        const Hash b = post_order(algorithm, leaves.subspan(left), Place::Inner, out);
        top = parent(algorithm, a, b, place);
    }
    out.push_back(top);
    return top;
}

inline std::vector<Hash> tree(const Algorithm& algorithm, std::span<const Hash> leaves) {
    std::vector<Hash> nodes;
    post_order(algorithm, leaves, Place::Root, nodes);
    return nodes;
}

struct Sibling {
    Hash hash;
    bool is_left;
};

// Bytes of a list of hashes in walking order: the highest sibling first, the target last.
inline Bytes encode(std::span<const Sibling> walk) {
    Bytes out;
    const std::size_t count = walk.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from_end = count - i;
        if (i == 0 || from_end % 8 == 0) {
            std::uint8_t sign = 0;
            const std::size_t in_segment = from_end % 8 == 0 ? 8 : from_end % 8;
            for (std::size_t j = 0; j < in_segment; ++j)
                if (walk[count - 1 - (i + j)].is_left)
                    sign = static_cast<std::uint8_t>(sign | 0x80U >> j);
            out.push_back(sign);
        }
        append(out, walk[count - 1 - i].hash.view());
    }
    return out;
}

// Every byte string that proves, from the top of `leaves`, a node whose first leaf is `target`: the
// last one proves the leaf itself, those before it stop at a node above. The first is empty: the
// top itself.
inline std::vector<Bytes> proofs_of(const Algorithm& algorithm,
                                    std::span<const Hash> leaves,
                                    std::size_t target) {
    std::vector<Bytes> proofs;
    std::vector<Sibling> walk;
    const auto add_stop = [&](const Hash& hash) {
        if (walk.empty()) {
            proofs.emplace_back();
            return;
        }
        walk.push_back({.hash = hash, .is_left = false});
        proofs.push_back(encode(walk));
        walk.pop_back();
    };
    const auto top_of = [&](std::span<const Hash> part) {
        std::vector<Hash> ignored;
        return post_order(algorithm, part, Place::Inner, ignored);
    };
    if (target == 0) add_stop(Hash());
    while (leaves.size() > 1) {
        const std::size_t left = left_count(leaves.size());
        if (target < left) {
            walk.push_back({.hash = top_of(leaves.subspan(left)), .is_left = false});
            leaves = leaves.first(left);
        } else {
            walk.push_back({.hash = top_of(leaves.first(left)), .is_left = true});
            leaves = leaves.subspan(left);
            target -= left;
        }
        if (target == 0) add_stop(top_of(leaves));
    }
    return proofs;
}

inline Bytes initial_proof(const Algorithm& algorithm,
                           std::span<const Hash> leaves,
                           std::size_t target) {
    return proofs_of(algorithm, leaves, target).back();
}

// The leaves under the node from which a resume proof for `leaf` walks.
inline std::span<const Hash> resumed(std::span<const Hash> leaves, std::size_t leaf) {
    std::size_t size = 1;
    while (leaf % (2 * size) == 0) size *= 2;
    return leaves.subspan(leaf, std::min(size, leaves.size() - leaf));
}

inline Bytes resume_proof(const Algorithm& algorithm,
                          std::span<const Hash> leaves,
                          std::size_t leaf) {
    return proofs_of(algorithm, resumed(leaves, leaf), 0).back();
}

}  // namespace draco::blake3_tree::model
