#include "node.hpp"

#include "draco/base/assert.hpp"

#include "kernel.hpp"

#include <cstring>

namespace draco::blake3_tree {

Hash Node::chaining_value() const {
    std::array<std::uint32_t, 8> words = key_words;
    kernel->compress(words.data(), message.data(), message_bytes, counter, flags);
    Hash value;
    for (std::size_t i = 0; i < 8; ++i) store_le(value.data() + 4 * i, words[i]);
    return value;
}

Hash Node::root_hash() const {
    std::array<std::uint32_t, 8> words = key_words;
    const auto root_flags = static_cast<std::uint8_t>(flags | kRoot);
    kernel->compress(words.data(), message.data(), message_bytes, 0, root_flags);
    Hash value;
    for (std::size_t i = 0; i < 8; ++i) store_le(value.data() + 4 * i, words[i]);
    return value;
}

void Node::root_output(std::uint64_t offset, MutByteView out) const {
    const auto root_flags = static_cast<std::uint8_t>(flags | kRoot);
    while (!out.empty()) {
        std::uint8_t piece[kMessageBytes];
        kernel->compress_wide(key_words.data(),
                              message.data(),
                              message_bytes,
                              offset / kMessageBytes,
                              root_flags,
                              piece);
        const std::size_t skipped = offset % kMessageBytes;
        const std::size_t taken = std::min(out.size(), kMessageBytes - skipped);
        std::memcpy(out.data(), piece + skipped, taken);
        out = out.subspan(taken);
        offset += taken;
    }
}

Node chunk_node(const Mode& mode, ByteView input, std::uint64_t chunk) {
    DRACO_ASSERT(input.size() <= kChunkBytes, "a chunk has at most 1024 bytes");
    Node node = {.key_words = mode.key_words,
                 .message = {},
                 .counter = chunk,
                 .message_bytes = 0,
                 .flags = static_cast<std::uint8_t>(mode.flags | kChunkStart),
                 .kernel = mode.kernel};
    while (input.size() > kMessageBytes) {
        node.kernel->compress(
            node.key_words.data(), input.data(), kMessageBytes, chunk, node.flags);
        node.flags = mode.flags;
        input = input.subspan(kMessageBytes);
    }
    if (!input.empty()) std::memcpy(node.message.data(), input.data(), input.size());
    node.message_bytes = static_cast<std::uint8_t>(input.size());
    node.flags |= kChunkEnd;
    return node;
}

Node parent_node(const Mode& mode, const Hash& left, const Hash& right) {
    Node node = {.key_words = mode.key_words,
                 .message = {},
                 .counter = 0,
                 .message_bytes = kMessageBytes,
                 .flags = static_cast<std::uint8_t>(mode.flags | kParent),
                 .kernel = mode.kernel};
    std::memcpy(node.message.data(), left.data(), kHashBytes);
    std::memcpy(node.message.data() + kHashBytes, right.data(), kHashBytes);
    return node;
}

Node subtree_node(const Mode& mode, ByteView input, std::uint64_t first_chunk) {
    DRACO_ASSERT(input.size() <= kBlockBytes, "a block has at most 256 chunks");
    if (input.size() <= kChunkBytes) return chunk_node(mode, input, first_chunk);

    alignas(64) std::array<Hash, kBlockChunks> level;
    std::size_t count = input.size() / kChunkBytes;
    mode.kernel->hash_chunks(
        input.data(), count, mode.key_words.data(), first_chunk, mode.flags, level[0].data());
    if (const ByteView rest = input.subspan(count * kChunkBytes); !rest.empty()) {
        level[count] = chunk_node(mode, rest, first_chunk + count).chaining_value();
        ++count;
    }
    // A node without a partner moves up unchanged: that is the rule "the left subtree is the
    // largest complete one" of section 2.1, read from below.
    while (count > 2) {
        mode.kernel->hash_parents(
            level[0].data(), count / 2, mode.key_words.data(), mode.flags, level[0].data());
        if (count % 2 == 1) level[count / 2] = level[count - 1];
        count = count / 2 + count % 2;
    }
    return parent_node(mode, level[0], level[1]);
}

}  // namespace draco::blake3_tree
