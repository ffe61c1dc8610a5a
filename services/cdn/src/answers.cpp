#include "answers.hpp"

#include "draco/base/text_encoding.hpp"

#include <utility>

namespace draco::cdn {
namespace {

using sdk::text_answer;

sdk::Answer later(std::string text, unsigned seconds) {
    sdk::Answer answer = text_answer(503, std::move(text));
    answer.fields.push_back({.name = "Retry-After", .value = std::to_string(seconds)});
    return answer;
}

}  // namespace

sdk::Answer content_answer(unsigned status) {
    sdk::Answer answer{.status = status};
    answer.fields.reserve(5);
    answer.fields.push_back(
        {.name = "Cache-Control", .value = "public, max-age=29030400, immutable"});
    answer.fields.push_back({.name = "Accept-Ranges", .value = "bytes"});
    return answer;
}

sdk::Answer refusal_for(const Error& error, const types::ContentHash& hash) {
    const std::string content = "content " + to_hex(hash.view());
    switch (error.code) {
        case Errc::NotFound:
            return text_answer(404,
                               content +
                                   " was not found: nobody this node can reach has it. Check the "
                                   "address, or try again later.");
        case Errc::DeadlineExceeded:
            return text_answer(504, content + " did not arrive in time. Try again later.");
        case Errc::Exhausted:
            return later("this node has too much to do at once. Try again later.", 5);
        case Errc::Unavailable:
        case Errc::Abandoned:
            return later("this node is not serving now. Try again later.", 5);
        case Errc::Corrupt:
            return later(
                content + " is damaged here and was dropped. Ask again: it will be fetched anew.",
                1);
        default:
            return text_answer(500,
                               content + " could not be read: " + sdk::printable(error.context));
    }
}

sdk::Answer redirect_to_slash(std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    sdk::Answer answer = content_answer(301);
    answer.fields.push_back(
        {.name = "Location",
         .value = std::string(path) + "/" + std::string(target.substr(path.size()))});
    answer.fields.push_back({.name = "Content-Type", .value = "text/plain; charset=utf-8"});
    answer.body = sdk::share("this is a directory: its address ends with '/'\n");
    return answer;
}

sdk::Answer not_satisfiable(std::uint64_t content_bytes) {
    sdk::Answer answer = text_answer(
        416, "no such range: the content has " + std::to_string(content_bytes) + " bytes.");
    answer.fields.push_back(
        {.name = "Content-Range", .value = "bytes */" + std::to_string(content_bytes)});
    return answer;
}

std::string listing_etag(const types::ContentHash& hash) {
    return "\"" + to_hex(hash.view()) + ".listing-1\"";
}

sdk::Answer listing(std::string page, std::string etag) {
    sdk::Answer answer = listing_not_modified(std::move(etag));
    answer.status = 200;
    answer.fields.push_back({.name = "Content-Type", .value = "text/html; charset=utf-8"});
    answer.body = sdk::share(std::move(page));
    return answer;
}

sdk::Answer listing_not_modified(std::string etag) {
    return {.status = 304,
            .fields = {
                {.name = "Cache-Control",
                 .value = "public, max-age=604800, stale-while-revalidate=2678400"},
                {.name = "Accept-Ranges", .value = "none"},
                {.name = "Content-Security-Policy",
                 .value = "default-src 'none'; style-src 'unsafe-inline'"},
                {.name = "ETag", .value = std::move(etag)},
            }};
}

}  // namespace draco::cdn
