#pragma once
// A file on its way in, checked block by block; the part of a transfer that outlives a session.

#include "draco/base/result.hpp"
#include "draco/blake3_tree/hash_tree.hpp"
#include "draco/types/content.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace draco::client {

// Head, tree, blocks, in this order. Errors are Corrupt where a node lies, which leaves the
// download as it was. Deterministic; memory: the tree, and the blocks that came ahead of their
// turn.
//
// A tree with the right root may still claim too few leaves: inner nodes pass for leaves, which no
// block can then match. So who fails against a tree that another node gave may be honest: forget()
// and try again with its own tree.
class Download {
public:
    Download(const types::ContentHash& hash, std::uint64_t first_block, std::uint64_t bytes_max)
        : hash_(hash), next_(first_block), bytes_max_(bytes_max) {}

    const types::ContentHash& hash() const { return hash_; }

    const std::optional<types::ContentInfo>& info() const { return info_; }

    bool has_tree() const { return tree_.has_value(); }

    // The next block to come out.
    std::uint64_t next() const { return next_; }

    bool is_done() const { return tree_ && next_ >= info_->leaves; }

    bool has(std::uint64_t index) const { return index < next_ || early_.contains(index); }

    // InvalidArgument for a directory, or if the first block is none; Exhausted if it is too long.
    Result<> take_head(const types::ContentInfo& info);
    // Pieces from the first node on.
    Result<> take_nodes(std::uint64_t first, std::span<const blake3_tree::Hash> nodes);
    Result<> take_block(std::uint64_t index, ByteView block);
    // The next block, if it is here.
    std::optional<Bytes> pop();
    // Whether these are the bytes of the block. Precondition: has_tree().
    bool verifies(std::uint64_t index, ByteView block) const;
    // The next block is where it belongs already. Precondition: verified, nothing came yet.
    void keep(std::size_t bytes);

    // Head and tree, and what was verified by it and has not come out.
    void forget();

    // What the sink has had; kept by who drives the download.
    bool is_announced = false;
    std::uint64_t blocks_written = 0;
    std::uint64_t bytes_written = 0;
    std::uint64_t bytes_kept = 0;
    std::optional<Error> sink_error{};

private:
    std::uint64_t block_bytes(std::uint64_t index) const;

    const types::ContentHash hash_;
    std::uint64_t next_;
    const std::uint64_t bytes_max_;
    std::optional<types::ContentInfo> info_;
    std::vector<blake3_tree::Hash> nodes_;
    std::optional<blake3_tree::HashTree> tree_;
    std::map<std::uint64_t, Bytes> early_;
};

}  // namespace draco::client
