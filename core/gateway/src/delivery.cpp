#include "delivery.hpp"

#include "draco/base/text_encoding.hpp"

#include "answers.hpp"
#include "conditions.hpp"
#include "content_body.hpp"
#include "content_type.hpp"

#include <utility>

namespace draco::gateway {
namespace {

// What is longer is pulled, also where it is a single block, so that it can wait for its turn.
constexpr std::uint64_t kWholeBytesMax = 4 << 10;

}  // namespace

Delivery::Delivery(interfaces::ContentSource& source,
                   std::shared_ptr<ClientLimits> limits,
                   ContentPath path,
                   Asked asked,
                   http::Reply reply)
    : source_(source),
      limits_(std::move(limits)),
      asked_(std::move(asked)),
      walk_(std::move(path)),
      reply_(std::move(reply)) {}

void Delivery::take(PathWalk::Step step) {
    while (const auto* wanted = std::get_if<PathWalk::Find>(&step)) {
        auto next = find(*wanted);
        if (!next) return refuse(next.error());
        step = *std::move(next);
    }
    if (const auto* object = std::get_if<PathWalk::Open>(&step)) return open(object->hash);
    if (const auto* file = std::get_if<PathWalk::ServeFile>(&step)) return serve(file->name);
    if (const auto* directory = std::get_if<PathWalk::ListDirectory>(&step))
        return list(directory->depth);
    if (std::holds_alternative<PathWalk::RedirectToSlash>(step))
        return reply_.answer(redirect_to_slash(asked_.target));
    auto& why = std::get<Refusal>(step);
    reply_.answer(refusal(why.status, std::move(why.text)));
}

void Delivery::open(const types::ContentHash& hash) {
    hash_ = hash;
    source_.open_for(
        {.kind = interfaces::AskerClass::Stranger, .number = asked_.client},
        hash,
        asked_.deadline,
        [self = shared_from_this()](Result<std::shared_ptr<interfaces::Content>> content) {
            self->opened(std::move(content));
        });
}

void Delivery::opened(Result<std::shared_ptr<interfaces::Content>> content) {
    if (!content) return refuse(content.error());
    const types::ContentKind kind = (*content)->info().kind;
    if (kind == types::ContentKind::Directory) {
        directories_.push_back(*std::move(content));
    } else {
        file_ = *std::move(content);
    }
    take(walk_.opened(kind));
}

Result<PathWalk::Step> Delivery::find(const PathWalk::Find& find) {
    directories_.resize(find.depth + 1);
    hash_ = directories_.back()->info().hash;
    DRACO_TRY(entry, directories_.back()->find(find.name));
    return walk_.found(entry);
}

void Delivery::list(std::size_t depth) {
    const interfaces::Content& directory = *directories_[depth];
    const std::string etag = listing_etag(directory.info().hash);
    switch (evaluate_conditions(asked_.fields, etag)) {
        case Condition::PreconditionFailed:
            return reply_.answer(refusal(412, "the listing is not the one that If-Match names."));
        case Condition::NotModified:
            return reply_.answer(listing_not_modified(etag));
        case Condition::Proceed:
            break;
    }
    auto page = list_directory(directory, walk_.path().segments.empty());
    if (!page) return refuse(page.error());
    limits_->charge_bytes(asked_.client, asked_.is_head ? 0 : page->size());
    reply_.answer(listing(*std::move(page), etag));
}

void Delivery::serve(const std::string& name) {
    const std::uint64_t bytes = file_->info().bytes;
    etag_ = "\"" + to_hex(file_->info().hash.view()) + "\"";
    content_type_ = content_type_of(name);
    switch (evaluate_conditions(asked_.fields, etag_)) {
        case Condition::PreconditionFailed:
            return reply_.answer(
                refusal(412, "the content here is " + etag_ + ", which If-Match does not name."));
        case Condition::NotModified:
            return reply_.answer(content_answer(304));
        case Condition::Proceed:
            break;
    }
    // RFC 9110 14.2: ranges are for GET.
    if (!asked_.is_head && may_send_ranges(asked_.fields, etag_)) {
        const RangeSelection selection = select_ranges(*asked_.fields.find("Range"), bytes);
        if (selection.kind == RangeSelection::Kind::NotSatisfiable)
            return reply_.answer(not_satisfiable(bytes));
        if (selection.kind == RangeSelection::Kind::Partial) return send_ranges(selection.ranges);
    }
    http::Answer answer = content_answer(200);
    answer.fields.add("Content-Type", content_type_);
    if (bytes == 0) return reply_.answer(std::move(answer));
    send_plan(std::move(answer), {{.first = 0, .last = bytes - 1}});
}

void Delivery::send_ranges(const std::vector<ByteRange>& ranges) {
    http::Answer answer = content_answer(206);
    if (ranges.size() == 1) {
        answer.fields.add("Content-Type", content_type_);
        answer.fields.add("Content-Range", content_range(ranges.front(), file_->info().bytes));
    } else {
        answer.fields.add("Content-Type", "multipart/byteranges; boundary=" + boundary());
    }
    send_plan(std::move(answer), ranges);
}

// The first block is had before the status is said, so that a content nobody has is no 200.
void Delivery::send_plan(http::Answer answer, std::vector<ByteRange> ranges) {
    if (asked_.is_head) {
        answer.body = body_of(ranges, nullptr);
        return reply_.answer(std::move(answer));
    }
    const std::uint64_t block = ranges.front().first / blake3_tree::kBlockBytes;
    file_->read_block(
        block,
        [self = shared_from_this(), answer = std::move(answer), ranges = std::move(ranges)](
            Result<std::shared_ptr<const Bytes>> first) mutable {
            self->send_with(std::move(answer), ranges, std::move(first));
        });
}

void Delivery::send_with(http::Answer answer,
                         const std::vector<ByteRange>& ranges,
                         Result<std::shared_ptr<const Bytes>> first) {
    if (!first) return refuse(first.error());
    const ByteRange& range = ranges.front();
    const std::uint64_t block = range.first / blake3_tree::kBlockBytes;
    auto slice = slice_of(*first, block, range, file_->info().bytes);
    if (!slice) return refuse(slice.error());
    if (ranges.size() == 1 && slice->bytes.size() == range.bytes() &&
        range.bytes() <= kWholeBytesMax) {
        limits_->charge_bytes(asked_.client, range.bytes());
        answer.body = *std::move(slice);
    } else {
        answer.body = body_of(ranges, *std::move(first));
    }
    reply_.answer(std::move(answer));
}

http::Body Delivery::body_of(const std::vector<ByteRange>& ranges,
                             std::shared_ptr<const Bytes> first) {
    BodyPlan plan = ranges.size() == 1
                        ? plan_of(ranges.front())
                        : plan_multipart(ranges, boundary(), content_type_, file_->info().bytes);
    return std::make_unique<ContentBody>(
        file_, std::move(plan), std::move(first), limits_, asked_.client);
}

http::Answer Delivery::content_answer(unsigned status) const {
    http::Answer answer{
        .status = status, .shared_fields = content_fields(), .fields = {}, .body = {}};
    answer.fields.add("ETag", etag_);
    return answer;
}

// No content has half of its own hash in it.
std::string Delivery::boundary() const {
    return "draco-" + to_hex(file_->info().hash.view()).substr(0, 32);
}

void Delivery::refuse(const Error& error) {
    reply_.answer(refusal_for(error, hash_));
}

}  // namespace draco::gateway
