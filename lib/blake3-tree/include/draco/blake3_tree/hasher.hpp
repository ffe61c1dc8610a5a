#pragma once
// BLAKE3: hash, keyed hash, key derivation and extendable output.
// Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere"
// (2021); section numbers below are that paper's.
//
// All types are values without threads or allocation; one object is used by one thread at a time.
// Every function is defined for every input and cannot fail. Cost is linear in the bytes hashed.

#include "draco/base/bytes.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace draco::blake3_tree {

// A 32-byte BLAKE3 output or, inside a tree, the chaining value of a node.
struct HashTag;
using Hash = FixedBytes<HashTag, 32>;

struct KeyTag;
using Key = FixedBytes<KeyTag, 32>;

inline constexpr std::size_t kChunkBytes = 1024;
// The unit of the block tree and of wide hashing: a complete subtree of 256 chunks.
inline constexpr std::size_t kBlockChunks = 256;
inline constexpr std::size_t kBlockBytes = kBlockChunks * kChunkBytes;

// The code paths. All give the same bytes; they differ in how many chunks they hash at once: 1, 4,
// 8 and 16.
enum class InstructionSet : std::uint8_t { Portable, Sse41, Avx2, Avx512 };

bool is_supported(InstructionSet set);
InstructionSet best_instruction_set();

struct Kernel;

// What distinguishes plain hashing, keyed hashing and key derivation (section 2.3): the initial
// chaining value and a flag in every compression; and the code path that does the work.
struct Mode {
    std::array<std::uint32_t, 8> key_words;
    std::uint8_t flags;
    const Kernel* kernel;

    static const Mode& plain();
    static Mode keyed(const Key& key);
    // The output for key material m is the key derived from m for the purpose that `context` names.
    // The context should be hardcoded, globally unique and application-specific.
    static Mode derive_key(std::string_view context);

    // The same mode on a given code path. Precondition (asserted): is_supported(set).
    Mode on(InstructionSet set) const;
};

// The last compression of a subtree, not yet performed: whether it is the root, and thus how it is
// performed, may depend on bytes that have not arrived.
struct Node {
    std::array<std::uint32_t, 8> key_words;
    alignas(16) std::array<std::uint8_t, 64> message;
    std::uint64_t counter;  // of the chunk; 0 in a parent
    std::uint8_t message_bytes;
    std::uint8_t flags;
    const Kernel* kernel;

    // As an inner node of a larger tree.
    Hash chaining_value() const;
    // As the root: the first 32 bytes of output.
    Hash root_hash() const;
    // As the root: output bytes [offset, offset + out.size()). Output is 2^64 - 1 bytes long.
    void root_output(std::uint64_t offset, MutByteView out) const;
};

// The extendable output of one input, as a stream that can be positioned anywhere (section 2.6).
class OutputReader {
public:
    explicit OutputReader(const Node& root) : root_(root) {}

    void seek(std::uint64_t offset) { offset_ = offset; }

    std::uint64_t offset() const { return offset_; }

    // Writes the next out.size() bytes and moves past them.
    void read(MutByteView out) {
        root_.root_output(offset_, out);
        offset_ += out.size();
    }

private:
    Node root_;
    std::uint64_t offset_ = 0;
};

// Hashes bytes as they arrive. Fastest when updates are whole multiples of kBlockBytes; memory is
// about 3 KiB whatever the input.
class Hasher {
public:
    explicit Hasher(const Mode& mode = Mode::plain()) : Hasher(mode, 0) {}

    // Hashes a subtree that begins at this chunk of a larger input, for node().chaining_value().
    // Precondition: first_chunk is a multiple of a power of two that is at least the number of
    // chunks hashed; else there is no such subtree.
    Hasher(const Mode& mode, std::uint64_t first_chunk);

    void update(ByteView input);

    // All bytes so far; more may follow afterwards.
    Node node() const;

    Hash finish() const { return node().root_hash(); }

    OutputReader output() const { return OutputReader(node()); }

    std::uint64_t bytes() const { return chunk_count_ * kChunkBytes + partial_bytes_; }

private:
    void push_subtree(const Node& node, std::uint64_t chunk_count);
    void merge_pending();

    // An input has at most 2^64 bytes = 2^54 chunks, so there is at most one complete subtree of
    // each height 0..53 to the left of what is being hashed.
    static constexpr std::size_t kHeightMax = 54;

    Mode mode_;
    std::uint64_t first_chunk_;
    std::uint64_t chunk_count_ = 0;  // complete chunks hashed
    // Chaining values of the complete subtrees before pending_, largest first.
    std::array<Hash, kHeightMax> left_;
    std::size_t left_count_ = 0;
    // The last complete subtree, kept open because it may turn out to be the root.
    Node pending_;
    std::uint64_t pending_chunks_ = 0;  // 0: there is none
    std::array<std::uint8_t, kChunkBytes> partial_;
    std::size_t partial_bytes_ = 0;
};

// One call for bytes in memory.
Hash hash(ByteView input, const Mode& mode = Mode::plain());

}  // namespace draco::blake3_tree
