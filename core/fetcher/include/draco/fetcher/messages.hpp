#pragma once
// Requests of Protocol::Content and their streamed answers (docs/formats/content.md).
//
// Heads: an answer tells what an object is, with its tree and its last block, or its entries: all
// that is needed to know that the head is true, and how long the file is. Blocks: one chunk of an
// answer is one block.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/directory.hpp"
#include "draco/types/content.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace draco::fetcher {

inline constexpr std::uint32_t kRangeBlocksMax = 64;
inline constexpr std::size_t kRequestMessageBytesMax = 64;
// A chunk holds at most so many entries, so it is never longer than a chunk may be.
inline constexpr std::size_t kChunkEntriesMax = 200;
inline constexpr std::size_t kChunkNodesMax = 8192;

struct HeadRequest {
    types::ContentHash hash;

    bool operator==(const HeadRequest&) const = default;
};

// Blocks [first, first + count) of a file, in this order.
struct BlocksRequest {
    types::ContentHash hash;
    std::uint64_t first = 0;
    std::uint32_t count = 0;  // 1..kRangeBlocksMax

    bool operator==(const BlocksRequest&) const = default;
};

using Request = std::variant<HeadRequest, BlocksRequest>;

// The first chunk of the answer to a HeadRequest.
struct Head {
    types::ContentKind kind = types::ContentKind::File;
    std::uint64_t bytes = 0;   // of a file; 0 for a directory
    std::uint64_t leaves = 0;  // blocks, or entries

    bool operator==(const Head&) const = default;
};

// And the chunks that follow for a directory.
using EntriesChunk = bcs::Bounded<std::vector<types::DirectoryEntry>, kChunkEntriesMax>;

// Corrupt if it is no Request, or asks for no or too many blocks.
Result<Request> decode_request(ByteView bytes);
// Corrupt if it is no Head, or one that contradicts itself.
Result<Head> decode_head(ByteView chunk);
Result<EntriesChunk> decode_entries(ByteView chunk);

// The hashes as they lie in the tree's array.
Bytes encode_nodes(std::span<const blake3_tree::Hash> nodes);

// What an answer to a HeadRequest amounts to, taken in chunk by chunk. Directories are verified
// when it is complete; of files the tree and the last block are, by who has the store. Memory: what
// has come; at most `file_bytes_max` / 4096, or the longest entries of a directory.
class HeadReader {
public:
    HeadReader(const types::ContentHash& hash, std::uint64_t file_bytes_max)
        : hash_(hash), file_bytes_max_(file_bytes_max) {}

    // Corrupt: the sender broke the rules, or it is another object. Exhausted: a file that is
    // longer than is taken here.
    Result<> add(ByteView chunk);

    bool is_complete() const { return is_complete_; }

    // Once there was a chunk.
    const std::optional<Head>& head() const { return head_; }

    // Precondition for all: is_complete(), and of that kind.
    std::vector<blake3_tree::Hash> take_nodes() { return std::move(nodes_); }

    Bytes take_last_block() { return std::move(last_block_); }

    std::vector<types::DirectoryEntry> take_entries() { return std::move(entries_); }

private:
    Result<> begin(ByteView chunk);
    Result<> add_nodes(ByteView chunk);
    Result<> add_last_block(ByteView chunk);
    Result<> add_entries(ByteView chunk);
    Result<> finish_directory();

    types::ContentHash hash_;
    std::uint64_t file_bytes_max_;
    std::optional<Head> head_;
    std::vector<blake3_tree::Hash> nodes_;
    Bytes last_block_;
    std::vector<types::DirectoryEntry> entries_;
    blake3_tree::DirectoryHasher hasher_;
    bool is_complete_ = false;
};

// The bytes of a file's block.
constexpr std::size_t block_bytes(std::uint64_t file_bytes, std::uint64_t index) {
    const std::uint64_t begin = index * blake3_tree::kBlockBytes;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(blake3_tree::kBlockBytes, file_bytes - begin));
}

}  // namespace draco::fetcher
