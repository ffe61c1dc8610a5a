#include "draco/fetcher/messages.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {
namespace {

using blake3_tree::Hash;
using types::ContentKind;

std::unexpected<Error> broken(std::string what) {
    return fail(Errc::Corrupt,
                "the head of an object " + std::move(what) + "; distrust the sender");
}

std::string quoted(std::uint64_t number) {
    return std::to_string(number);
}

}  // namespace

Result<Request> decode_request(ByteView bytes) {
    if (bytes.size() > kRequestMessageBytesMax)
        return fail(
            Errc::Corrupt,
            "a request for content of " + quoted(bytes.size()) + " bytes, more than any has");
    auto request = bcs::decode<Request>(bytes);
    if (!request)
        return fail(Errc::Corrupt,
                    "a request for content does not decode: " + to_string(request.error()));
    const auto* blocks = std::get_if<BlocksRequest>(&*request);
    if (blocks != nullptr && (blocks->count == 0 || blocks->count > kRangeBlocksMax))
        return fail(Errc::Corrupt,
                    "a request for " + quoted(blocks->count) + " blocks; from 1 to " +
                        quoted(kRangeBlocksMax) + " can be asked for");
    return *request;
}

Result<Head> decode_head(ByteView chunk) {
    const auto head = bcs::decode<Head>(chunk);
    if (!head) return broken("does not decode (" + to_string(head.error()) + ")");
    const bool is_sound =
        head->kind == ContentKind::File
            ? head->leaves == blake3_tree::block_count(head->bytes)
            : head->bytes == 0 && head->leaves <= blake3_tree::kDirectoryEntriesMax;
    if (!is_sound)
        return broken("claims " + quoted(head->bytes) + " bytes and " + quoted(head->leaves) +
                      " leaves, which cannot be");
    return *head;
}

Result<EntriesChunk> decode_entries(ByteView chunk) {
    auto entries = bcs::decode<EntriesChunk>(chunk);
    if (!entries)
        return broken("has entries that do not decode (" + to_string(entries.error()) + ")");
    return *std::move(entries);
}

Bytes encode_nodes(std::span<const Hash> nodes) {
    Bytes bytes;
    bytes.reserve(nodes.size() * Hash::kSize);
    for (const Hash& node : nodes) append(bytes, node.view());
    return bytes;
}

Result<> HeadReader::add(ByteView chunk) {
    if (is_complete_) return broken("goes on after its end");
    if (!head_) return begin(chunk);
    if (head_->kind == ContentKind::Directory) return add_entries(chunk);
    return nodes_.size() < 2 * head_->leaves - 1 ? add_nodes(chunk) : add_last_block(chunk);
}

Result<> HeadReader::begin(ByteView chunk) {
    DRACO_TRY(head, decode_head(chunk));
    if (head.bytes > file_bytes_max_)
        return fail(Errc::Exhausted,
                    to_hex(hash_.view()) + " is said to be a file of " + quoted(head.bytes) +
                        " bytes; this node takes files of at most " + quoted(file_bytes_max_));
    head_ = head;
    if (head.kind == ContentKind::Directory && head.leaves == 0) return finish_directory();
    return {};
}

Result<> HeadReader::add_nodes(ByteView chunk) {
    const std::uint64_t missing = 2 * head_->leaves - 1 - nodes_.size();
    if (chunk.empty() || chunk.size() % Hash::kSize != 0 || chunk.size() / Hash::kSize > missing)
        return broken("has a piece of a tree of " + quoted(chunk.size()) + " bytes, where " +
                      quoted(missing) + " hashes are missing");
    for (std::size_t at = 0; at < chunk.size(); at += Hash::kSize)
        nodes_.emplace_back(chunk.subspan(at).first<Hash::kSize>());
    if (nodes_.size() < 2 * head_->leaves - 1) return {};
    // Known already if there is just one, and cheap to find out now.
    if (!std::ranges::equal(nodes_.back().view(), hash_.view()))
        return broken("has a tree with another root than was asked for");
    is_complete_ = head_->bytes == 0;
    return {};
}

Result<> HeadReader::add_last_block(ByteView chunk) {
    const std::size_t expected = block_bytes(head_->bytes, head_->leaves - 1);
    if (chunk.size() != expected)
        return broken("has a last block of " + quoted(chunk.size()) + " bytes, where " +
                      quoted(expected) + " are left");
    last_block_ = to_bytes(chunk);
    is_complete_ = true;
    return {};
}

Result<> HeadReader::add_entries(ByteView chunk) {
    DRACO_TRY(decoded, decode_entries(chunk));
    auto some = std::move(decoded).take();
    if (some.empty() || some.size() > head_->leaves - entries_.size())
        return broken("has " + quoted(some.size()) + " entries in a piece, where " +
                      quoted(head_->leaves - entries_.size()) + " are missing");
    for (types::DirectoryEntry& entry : some) {
        const auto* link = std::get_if<types::LinkTarget>(&entry.target);
        const auto added =
            link != nullptr
                ? hasher_.add_symlink(*entry.name, **link)
                : hasher_.add_link(*entry.name,
                                   Hash(std::get<types::ContentHash>(entry.target).bytes));
        if (!added) return broken("has an unsound entry (" + added.error().context + ")");
        entries_.push_back(std::move(entry));
    }
    return entries_.size() == head_->leaves ? finish_directory() : Result<>();
}

Result<> HeadReader::finish_directory() {
    const auto tree = std::move(hasher_).finish();
    const Hash& root = tree ? tree->root() : blake3_tree::empty_directory_hash();
    if (!std::ranges::equal(root.view(), hash_.view()))
        return broken("is that of another directory than was asked for");
    is_complete_ = true;
    return {};
}

}  // namespace draco::fetcher
