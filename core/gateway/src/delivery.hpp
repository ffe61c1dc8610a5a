#pragma once
// One request for content, from its target to its answer. It lives in the callbacks of the content
// source that it waits for; one step at a time, on whatever thread calls back.

#include "draco/base/clock.hpp"
#include "draco/http/engine.hpp"
#include "draco/interfaces/content.hpp"

#include "byte_ranges.hpp"
#include "client_limits.hpp"
#include "path_walk.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace draco::gateway {

class Delivery : public std::enable_shared_from_this<Delivery> {
public:
    struct Asked {
        std::string target;
        bool is_head = false;
        http::Fields fields;  // those that decide what is sent
        std::uint64_t client = 0;
        Instant deadline{};  // for every object on the way to be opened
    };

    // `source` outlives every callback that it has not called.
    Delivery(interfaces::ContentSource& source,
             std::shared_ptr<ClientLimits> limits,
             ContentPath path,
             Asked asked,
             http::Reply reply);

    void start() { take(walk_.begin()); }

private:
    void take(PathWalk::Step step);
    void open(const types::ContentHash& hash);
    void opened(Result<std::shared_ptr<interfaces::Content>> content);
    Result<PathWalk::Step> find(const PathWalk::Find& find);
    void list(std::size_t depth);

    void serve(const std::string& name);
    void send_ranges(const std::vector<ByteRange>& ranges);
    void send_plan(http::Answer answer, std::vector<ByteRange> ranges);
    void send_with(http::Answer answer,
                   const std::vector<ByteRange>& ranges,
                   Result<std::shared_ptr<const Bytes>> first);
    http::Answer content_answer(unsigned status) const;
    http::Body body_of(const std::vector<ByteRange>& ranges, std::shared_ptr<const Bytes> first);
    std::string boundary() const;

    void refuse(const Error& error);

    interfaces::ContentSource& source_;
    const std::shared_ptr<ClientLimits> limits_;
    const Asked asked_;
    PathWalk walk_;
    http::Reply reply_;
    std::vector<std::shared_ptr<interfaces::Content>> directories_;  // open, the root first
    types::ContentHash hash_;                                        // opened last
    std::shared_ptr<interfaces::Content> file_;
    std::string etag_;
    std::string_view content_type_;
};

}  // namespace draco::gateway
