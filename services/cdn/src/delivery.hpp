#pragma once
// One request for content, from its target to its answer. It lives in the callbacks of the host
// that it waits for; one step at a time, on whatever thread calls back. A host that calls back
// before an ask returns makes the steps nest: at most kLookupsMax lookups, as many opens, and one
// listing deep.

#include "draco/http/message.hpp"
#include "draco/sdk/answer.hpp"
#include "draco/sdk/host.hpp"

#include "byte_ranges.hpp"
#include "listing.hpp"
#include "path_walk.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace draco::cdn {

class Delivery : public std::enable_shared_from_this<Delivery> {
public:
    struct Asked {
        std::string target;  // as it was sent
        bool is_head = false;
        http::Fields fields;  // those that decide what is sent
    };

    Delivery(std::shared_ptr<sdk::Host> host,
             ContentPath path,
             Asked asked,
             sdk::AnswerCallback answer);

    void start() { take(walk_.begin()); }

private:
    void take(PathWalk::Step step);
    void open(const types::ContentHash& hash);
    void opened(Result<std::unique_ptr<sdk::Content>> content);
    void find(const PathWalk::Find& find);
    void list(std::size_t depth);
    void list_on(std::size_t depth, ListingPage page);

    void serve(const std::string& name);
    void send_ranges(std::vector<ByteRange> ranges);
    void send_plan(sdk::Answer answer, std::vector<ByteRange> ranges);
    void send_with(sdk::Answer answer, const std::vector<ByteRange>& ranges, sdk::Piece first);
    sdk::Answer file_answer(unsigned status) const;
    std::unique_ptr<sdk::Body> body_of(const std::vector<ByteRange>& ranges, sdk::Piece first);
    std::string boundary() const;

    void refuse(const Error& error);

    const std::shared_ptr<sdk::Host> host_;
    const Asked asked_;
    PathWalk walk_;
    sdk::AnswerCallback answer_;
    std::vector<std::unique_ptr<sdk::Content>> directories_;  // open, the root first
    types::ContentHash hash_;                                 // opened last
    std::unique_ptr<sdk::Content> file_;                      // until a body has it
    std::string etag_;
    std::string_view content_type_;
};

}  // namespace draco::cdn
