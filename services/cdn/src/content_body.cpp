#include "content_body.hpp"

#include <algorithm>
#include <utility>

namespace draco::cdn {
namespace {

constexpr std::uint64_t kBlockBytes = sdk::kBlockBytes;

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

std::size_t first_read_bytes(const ByteRange& range) {
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(range.bytes(), kBlockBytes - range.first % kBlockBytes));
}

ContentBody::ContentBody(std::unique_ptr<sdk::Content> content, BodyPlan plan, sdk::Piece first)
    : content_(std::move(content)),
      plan_(std::move(plan)),
      first_(std::move(first)),
      shape_{.bytes = plan_.bytes(),
             .pieces = plan_.tail.empty() ? std::uint64_t{0} : 1,
             // A part of a block keeps the whole.
             .piece_bytes_max = std::max<std::uint64_t>(
                 std::min(content_->info().bytes, kBlockBytes), plan_.tail.size())},
      next_first_(plan_.parts.front().range.first) {
    for (const BodyPart& part : plan_.parts) {
        shape_.pieces += (part.head.empty() ? 0 : 1) + blocks_of(part.range);
        shape_.piece_bytes_max = std::max<std::uint64_t>(shape_.piece_bytes_max, part.head.size());
    }
}

void ContentBody::pull(sdk::PieceCallback callback) {
    if (part_ == plan_.parts.size()) return callback(sdk::share(std::move(plan_.tail)));
    BodyPart& part = plan_.parts[part_];
    if (!std::exchange(head_is_given_, true) && !part.head.empty())
        return callback(sdk::share(std::move(part.head)));
    const std::uint64_t first = next_first_;
    const std::size_t bytes = first_read_bytes({.first = first, .last = part.range.last});
    next_first_ += bytes;
    if (next_first_ > part.range.last) {
        head_is_given_ = false;
        if (++part_ < plan_.parts.size()) next_first_ = plan_.parts[part_].range.first;
    }
    pull_range(first, bytes, std::move(callback));
}

void ContentBody::pull_range(std::uint64_t first, std::size_t bytes, sdk::PieceCallback callback) {
    if (sdk::Piece had = std::exchange(first_, {}); !had.bytes.empty())
        return callback(std::move(had));
    content_->read(first, bytes, std::move(callback));
}

}  // namespace draco::cdn
