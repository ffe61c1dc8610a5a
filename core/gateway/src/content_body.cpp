#include "content_body.hpp"

#include <algorithm>
#include <utility>

namespace draco::gateway {
namespace {

constexpr std::uint64_t kBlockBytes = blake3_tree::kBlockBytes;

std::uint64_t blocks_of(const ByteRange& range) {
    return range.last / kBlockBytes - range.first / kBlockBytes + 1;
}

}  // namespace

std::uint64_t BodyPlan::bytes() const {
    std::uint64_t sum = tail.size();
    for (const BodyPart& part : parts) sum += part.head.size() + part.range.bytes();
    return sum;
}

BodyPlan plan_of(const ByteRange& range) {
    return {.parts = {{.head = {}, .range = range}}, .tail = {}};
}

BodyPlan plan_multipart(const std::vector<ByteRange>& ranges,
                        std::string_view boundary,
                        std::string_view content_type,
                        std::uint64_t content_bytes) {
    BodyPlan plan;
    const std::string delimiter = "--" + std::string(boundary);
    for (const ByteRange& range : ranges)
        plan.parts.push_back({.head = (plan.parts.empty() ? "" : "\r\n") + delimiter +
                                      "\r\nContent-Type: " + std::string(content_type) +
                                      "\r\nContent-Range: " + content_range(range, content_bytes) +
                                      "\r\n\r\n",
                              .range = range});
    plan.tail = "\r\n" + delimiter + "--\r\n";
    return plan;
}

std::string content_range(const ByteRange& range, std::uint64_t content_bytes) {
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
           std::to_string(content_bytes);
}

Result<http::SharedBytes> slice_of(const std::shared_ptr<const Bytes>& block,
                                   std::uint64_t index,
                                   const ByteRange& range,
                                   std::uint64_t content_bytes) {
    const std::uint64_t begin = index * kBlockBytes;
    if (!block || block->size() != std::min(kBlockBytes, content_bytes - begin))
        return fail(Errc::Corrupt, "a block of a wrong length");
    const std::uint64_t first = std::max(range.first, begin) - begin;
    const std::uint64_t end = std::min(range.last + 1 - begin, kBlockBytes);
    return http::SharedBytes{
        .owner = block,
        .bytes = ByteView(*block).subspan(static_cast<std::size_t>(first),
                                          static_cast<std::size_t>(end - first))};
}

ContentBody::ContentBody(std::shared_ptr<interfaces::Content> content,
                         BodyPlan plan,
                         std::shared_ptr<const Bytes> first_block,
                         std::shared_ptr<ClientLimits> limits,
                         std::uint64_t client)
    : content_(std::move(content)),
      plan_(std::move(plan)),
      first_block_(std::move(first_block)),
      limits_(std::move(limits)),
      client_(client),
      bytes_(plan_.bytes()),
      next_block_(plan_.parts.front().range.first / kBlockBytes) {
    std::uint64_t text_bytes_max = plan_.tail.size();
    for (const BodyPart& part : plan_.parts) {
        pieces_ += (part.head.empty() ? 0 : 1) + blocks_of(part.range);
        text_bytes_max = std::max<std::uint64_t>(text_bytes_max, part.head.size());
    }
    pieces_ += plan_.tail.empty() ? 0 : 1;
    piece_bytes_max_ = std::max(std::min(content_->info().bytes, kBlockBytes), text_bytes_max);
}

void ContentBody::pull(http::PieceReply reply) {
    if (part_ == plan_.parts.size()) return give_text(std::move(reply), std::move(plan_.tail));
    BodyPart& part = plan_.parts[part_];
    if (!std::exchange(head_is_given_, true) && !part.head.empty())
        return give_text(std::move(reply), std::move(part.head));
    const ByteRange range = part.range;
    const std::uint64_t block = next_block_++;
    if (block == range.last / kBlockBytes) {
        head_is_given_ = false;
        if (++part_ < plan_.parts.size())
            next_block_ = plan_.parts[part_].range.first / kBlockBytes;
    }
    pull_block(std::move(reply), block, range);
}

void ContentBody::pull_block(http::PieceReply reply, std::uint64_t index, const ByteRange& range) {
    const std::uint64_t bytes = content_->info().bytes;
    const std::uint64_t begin = index * kBlockBytes;
    limits_->charge_bytes(
        client_, std::min(range.last + 1, begin + kBlockBytes) - std::max(range.first, begin));
    if (const auto first = std::exchange(first_block_, nullptr))
        return reply.deliver(slice_of(first, index, range, bytes));
    content_->read_block(index,
                         [reply = std::move(reply), index, range, bytes](
                             Result<std::shared_ptr<const Bytes>> block) mutable {
                             if (!block) return reply.deliver(std::unexpected(block.error()));
                             reply.deliver(slice_of(*block, index, range, bytes));
                         });
}

void ContentBody::give_text(http::PieceReply reply, std::string text) {
    limits_->charge_bytes(client_, text.size());
    reply.deliver(http::share(std::move(text)));
}

}  // namespace draco::gateway
