#pragma once
// The bytes of a content as the node asks for them: the whole, one range, or several as
// multipart/byteranges (RFC 9110 14.6).

#include "draco/sdk/answer.hpp"
#include "draco/sdk/host.hpp"

#include "byte_ranges.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace draco::cdn {

// What is sent: text, then a range of the content.
struct BodyPart {
    std::string head;  // empty but in a multipart
    ByteRange range;
};

struct BodyPlan {
    std::vector<BodyPart> parts;  // at least one
    std::string tail;             // empty but in a multipart

    std::uint64_t bytes() const;
};

BodyPlan plan_of(const ByteRange& range);

// `boundary` occurs nowhere in the content.
BodyPlan plan_multipart(const std::vector<ByteRange>& ranges,
                        std::string_view boundary,
                        std::string_view content_type,
                        std::uint64_t content_bytes);

// "bytes 0-99/1234"
std::string content_range(const ByteRange& range, std::uint64_t content_bytes);

// Of a range the bytes that are in the block of its first byte: what one read gives.
std::size_t first_read_bytes(const ByteRange& range);

class ContentBody final : public sdk::Body {
public:
    // `first` is what the first read of the first range gave, or has no bytes.
    ContentBody(std::unique_ptr<sdk::Content> content, BodyPlan plan, sdk::Piece first);

    sdk::BodyShape shape() const override { return shape_; }

    // The node has the first block, and gives it again.
    void let_go() override { first_ = {}; }

    void pull(sdk::PieceCallback callback) override;

private:
    void pull_range(std::uint64_t first, std::size_t bytes, sdk::PieceCallback callback);

    const std::unique_ptr<sdk::Content> content_;
    BodyPlan plan_;
    sdk::Piece first_;
    sdk::BodyShape shape_;
    std::size_t part_ = 0;          // the one that the next piece belongs to
    bool head_is_given_ = false;    // of that part
    std::uint64_t next_first_ = 0;  // of that part, the byte that the next read begins with
};

}  // namespace draco::cdn
