#include "delivery.hpp"

#include "draco/base/text_encoding.hpp"

#include "answers.hpp"
#include "conditions.hpp"
#include "content_body.hpp"
#include "content_type.hpp"

#include <algorithm>
#include <utility>

namespace draco::cdn {
namespace {

// What is longer is pulled, also where it is a single block, so that it can wait for its turn.
constexpr std::uint64_t kWholeBytesMax = 4 << 10;

}  // namespace

Delivery::Delivery(std::shared_ptr<sdk::Host> host,
                   ContentPath path,
                   Asked asked,
                   sdk::AnswerCallback answer)
    : host_(std::move(host)),
      asked_(std::move(asked)),
      walk_(std::move(path)),
      answer_(std::move(answer)) {}

void Delivery::take(PathWalk::Step step) {
    if (const auto* wanted = std::get_if<PathWalk::Find>(&step)) return find(*wanted);
    if (const auto* object = std::get_if<PathWalk::Open>(&step)) return open(object->hash);
    if (const auto* file = std::get_if<PathWalk::ServeFile>(&step)) return serve(file->name);
    if (const auto* directory = std::get_if<PathWalk::ListDirectory>(&step))
        return list(directory->depth);
    if (std::holds_alternative<PathWalk::RedirectToSlash>(step))
        return answer_(redirect_to_slash(asked_.target));
    auto& why = std::get<Refusal>(step);
    answer_(sdk::text_answer(why.status, std::move(why.text)));
}

void Delivery::open(const types::ContentHash& hash) {
    hash_ = hash;
    host_->open(hash, [self = shared_from_this()](Result<std::unique_ptr<sdk::Content>> content) {
        self->opened(std::move(content));
    });
}

void Delivery::opened(Result<std::unique_ptr<sdk::Content>> content) {
    if (!content) return refuse(content.error());
    const types::ContentKind kind = (*content)->info().kind;
    if (kind == types::ContentKind::Directory) {
        directories_.push_back(*std::move(content));
    } else {
        file_ = *std::move(content);
    }
    take(walk_.opened(kind));
}

void Delivery::find(const PathWalk::Find& find) {
    directories_.resize(find.depth + 1);
    sdk::Content& directory = *directories_.back();
    hash_ = directory.info().hash;
    directory.find(find.name,
                   [self = shared_from_this()](Result<std::optional<types::DirectoryEntry>> entry) {
                       if (!entry) return self->refuse(entry.error());
                       self->take(self->walk_.found(*entry));
                   });
}

void Delivery::list(std::size_t depth) {
    const types::ContentInfo& directory = directories_[depth]->info();
    std::string etag = listing_etag(directory.hash);
    switch (evaluate_conditions(asked_.fields, etag)) {
        case Condition::PreconditionFailed:
            return answer_(
                sdk::text_answer(412, "the listing is not the one that If-Match names."));
        case Condition::NotModified:
            return answer_(listing_not_modified(std::move(etag)));
        case Condition::Proceed:
            break;
    }
    etag_ = std::move(etag);
    list_on(depth, ListingPage(directory, walk_.path().segments.empty()));
}

void Delivery::list_on(std::size_t depth, ListingPage page) {
    if (page.wanted() == 0) return answer_(listing(std::move(page).finish(), std::move(etag_)));
    const std::uint64_t first = page.next();
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(page.wanted(), sdk::kListedAtOnceMax));
    directories_[depth]->list(first,
                              count,
                              [self = shared_from_this(), depth, page = std::move(page)](
                                  Result<std::vector<types::DirectoryEntry>> entries) mutable {
                                  if (!entries) return self->refuse(entries.error());
                                  if (const auto added = page.add(*entries); !added)
                                      return self->refuse(added.error());
                                  self->list_on(depth, std::move(page));
                              });
}

void Delivery::serve(const std::string& name) {
    const std::uint64_t bytes = file_->info().bytes;
    etag_ = "\"" + to_hex(file_->info().hash.view()) + "\"";
    content_type_ = content_type_of(name);
    switch (evaluate_conditions(asked_.fields, etag_)) {
        case Condition::PreconditionFailed:
            return answer_(sdk::text_answer(
                412, "the content here is " + etag_ + ", which If-Match does not name."));
        case Condition::NotModified:
            return answer_(file_answer(304));
        case Condition::Proceed:
            break;
    }
    // RFC 9110 14.2: ranges are for GET.
    if (!asked_.is_head && may_send_ranges(asked_.fields, etag_)) {
        RangeSelection selection = select_ranges(*asked_.fields.find("Range"), bytes);
        if (selection.kind == RangeSelection::Kind::NotSatisfiable)
            return answer_(not_satisfiable(bytes));
        if (selection.kind == RangeSelection::Kind::Partial)
            return send_ranges(std::move(selection.ranges));
    }
    sdk::Answer answer = file_answer(200);
    answer.fields.push_back({.name = "Content-Type", .value = std::string(content_type_)});
    if (bytes == 0) return answer_(std::move(answer));
    send_plan(std::move(answer), {{.first = 0, .last = bytes - 1}});
}

void Delivery::send_ranges(std::vector<ByteRange> ranges) {
    sdk::Answer answer = file_answer(206);
    if (ranges.size() == 1) {
        answer.fields.push_back({.name = "Content-Type", .value = std::string(content_type_)});
        answer.fields.push_back(
            {.name = "Content-Range", .value = content_range(ranges.front(), file_->info().bytes)});
    } else {
        answer.fields.push_back(
            {.name = "Content-Type", .value = "multipart/byteranges; boundary=" + boundary()});
    }
    send_plan(std::move(answer), std::move(ranges));
}

// The first block is had before the status is said, so that a content nobody has is no 200.
void Delivery::send_plan(sdk::Answer answer, std::vector<ByteRange> ranges) {
    if (asked_.is_head) {
        answer.body = body_of(ranges, {});
        return answer_(std::move(answer));
    }
    const ByteRange range = ranges.front();
    file_->read(range.first,
                first_read_bytes(range),
                [self = shared_from_this(), answer = std::move(answer), ranges = std::move(ranges)](
                    Result<sdk::Piece> first) mutable {
                    if (!first) return self->refuse(first.error());
                    self->send_with(std::move(answer), ranges, *std::move(first));
                });
}

void Delivery::send_with(sdk::Answer answer,
                         const std::vector<ByteRange>& ranges,
                         sdk::Piece first) {
    const std::uint64_t bytes = ranges.front().bytes();
    if (ranges.size() == 1 && first.bytes.size() == bytes && bytes <= kWholeBytesMax) {
        answer.body = std::move(first);
    } else {
        answer.body = body_of(ranges, std::move(first));
    }
    answer_(std::move(answer));
}

std::unique_ptr<sdk::Body> Delivery::body_of(const std::vector<ByteRange>& ranges,
                                             sdk::Piece first) {
    BodyPlan plan = ranges.size() == 1
                        ? plan_of(ranges.front())
                        : plan_multipart(ranges, boundary(), content_type_, file_->info().bytes);
    return std::make_unique<ContentBody>(std::move(file_), std::move(plan), std::move(first));
}

sdk::Answer Delivery::file_answer(unsigned status) const {
    sdk::Answer answer = content_answer(status);
    answer.fields.push_back({.name = "ETag", .value = etag_});
    return answer;
}

// No content has half of its own hash in it.
std::string Delivery::boundary() const {
    return "draco-" + to_hex(file_->info().hash.view()).substr(0, 32);
}

void Delivery::refuse(const Error& error) {
    answer_(refusal_for(error, hash_));
}

}  // namespace draco::cdn
