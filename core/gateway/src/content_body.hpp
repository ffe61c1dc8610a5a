#pragma once
// The bytes of a content as the engine asks for them: the whole, one range, or several as
// multipart/byteranges (RFC 9110 14.6).

#include "draco/http/answer.hpp"
#include "draco/interfaces/content.hpp"

#include "byte_ranges.hpp"
#include "client_limits.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace draco::gateway {

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

// Of a block, the bytes that belong to `range`; Corrupt for a block that does not have the length
// it should have.
Result<http::SharedBytes> slice_of(const std::shared_ptr<const Bytes>& block,
                                   std::uint64_t index,
                                   const ByteRange& range,
                                   std::uint64_t content_bytes);

// What is taken is charged to `client`.
class ContentBody final : public http::PullBody {
public:
    // `first_block` is that of the first range, or null.
    ContentBody(std::shared_ptr<interfaces::Content> content,
                BodyPlan plan,
                std::shared_ptr<const Bytes> first_block,
                std::shared_ptr<ClientLimits> limits,
                std::uint64_t client);

    std::uint64_t bytes() const override { return bytes_; }

    std::uint64_t pieces() const override { return pieces_; }

    // A part of a block keeps the whole.
    std::uint64_t piece_bytes_max() const override { return piece_bytes_max_; }

    // The source has the first block, and gives it again.
    void let_go() override { first_block_.reset(); }

    void pull(http::PieceReply reply) override;

private:
    void pull_block(http::PieceReply reply, std::uint64_t index, const ByteRange& range);
    void give_text(http::PieceReply reply, std::string text);

    const std::shared_ptr<interfaces::Content> content_;
    BodyPlan plan_;
    std::shared_ptr<const Bytes> first_block_;
    const std::shared_ptr<ClientLimits> limits_;
    const std::uint64_t client_;
    const std::uint64_t bytes_;
    std::uint64_t pieces_ = 0;
    std::uint64_t piece_bytes_max_ = 0;
    std::size_t part_ = 0;          // the one that the next piece belongs to
    bool head_is_given_ = false;    // of that part
    std::uint64_t next_block_ = 0;  // of that part
};

}  // namespace draco::gateway
