#include "answers.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace draco::gateway {
namespace {

using http::FieldBlock;

constexpr std::string_view kExposed =
    "Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After";
constexpr std::size_t kEntriesAtOnce = 256;

std::shared_ptr<const FieldBlock> block_of(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    auto block = std::make_shared<FieldBlock>();
    for (const auto& [name, value] : fields) block->add(name, value);
    block->add("X-Content-Type-Options", "nosniff");
    block->add("Access-Control-Allow-Origin", "*");
    block->add("Access-Control-Expose-Headers", kExposed);
    return block;
}

std::shared_ptr<const FieldBlock> listing_fields() {
    static const auto kFields =
        block_of({{"Cache-Control", "public, max-age=604800, stale-while-revalidate=2678400"},
                  {"Accept-Ranges", "none"},
                  {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}});
    return kFields;
}

http::Answer later(unsigned status, std::string text, std::int64_t seconds) {
    http::Answer answer = refusal(status, std::move(text));
    answer.fields.add("Retry-After", std::to_string(seconds));
    return answer;
}

// RFC 3986 2.3 leaves these as they are.
bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~").contains(c);
}

void append_link(std::string& page, std::string_view name) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (const char c : name) {
        if (is_unreserved(c)) {
            page += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        page += '%';
        page += kDigits[byte >> 4U];
        page += kDigits[byte & 15U];
    }
}

void append_text(std::string& page, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '<':
                page += "&lt;";
                break;
            case '>':
                page += "&gt;";
                break;
            case '&':
                page += "&amp;";
                break;
            case '"':
                page += "&quot;";
                break;
            default:
                page += c;
        }
    }
}

void append_entry(std::string& page, const types::DirectoryEntry& entry) {
    page += "<li><a href=\"./";
    append_link(page, *entry.name);
    page += "\">";
    append_text(page, *entry.name);
    page += "</a>";
    if (const auto* target = std::get_if<types::LinkTarget>(&entry.target)) {
        page += " &rarr; ";
        append_text(page, **target);
    }
    page += "</li>\n";
}

}  // namespace

std::shared_ptr<const FieldBlock> content_fields() {
    static const auto kFields = block_of(
        {{"Cache-Control", "public, max-age=29030400, immutable"}, {"Accept-Ranges", "bytes"}});
    return kFields;
}

http::Answer refusal(unsigned status, std::string text) {
    static const auto kFields =
        block_of({{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}});
    return {.status = status,
            .shared_fields = kFields,
            .fields = {},
            .body = http::share(std::move(text) + "\n")};
}

http::Answer refusal_for(const Error& error, const types::ContentHash& hash) {
    const std::string content = "content " + to_hex(hash.view());
    switch (error.code) {
        case Errc::NotFound:
            return refusal(404,
                           content +
                               " was not found: nobody this node can reach has it. Check the "
                               "address, or try again later.");
        case Errc::DeadlineExceeded:
            return refusal(504, content + " did not arrive in time. Try again later.");
        case Errc::Exhausted:
            return later(503, "this node has too much to do at once. Try again later.", 5);
        case Errc::Unavailable:
        case Errc::Abandoned:
            return later(503, "this node is not serving now. Try again later.", 5);
        case Errc::Corrupt:
            return later(503,
                         content +
                             " is damaged here and was dropped. Ask again: it will be fetched "
                             "anew.",
                         1);
        default:
            return refusal(500, content + " could not be read: " + error.context);
    }
}

http::Answer wrong_method() {
    http::Answer answer =
        refusal(405, "content can only be read: use " + std::string(kMethods) + ".");
    answer.fields.add("Allow", kMethods);
    return answer;
}

http::Answer preflight() {
    static const auto kFields =
        block_of({{"Allow", kMethods},
                  {"Access-Control-Allow-Methods", kMethods},
                  {"Access-Control-Allow-Headers",
                   "Cache-Control, If-Match, If-Modified-Since, If-None-Match, If-Range, Range"},
                  {"Access-Control-Max-Age", "86400"}});
    return {.status = 204, .shared_fields = kFields, .fields = {}, .body = {}};
}

http::Answer too_many(Duration wait) {
    const auto seconds =
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1);
    return later(429,
                 "your address has asked this node for more than it gives for nothing. Ask again "
                 "in " +
                     std::to_string(seconds) + " s.",
                 seconds);
}

http::Answer redirect_to_slash(std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    http::Answer answer{.status = 301, .shared_fields = content_fields(), .fields = {}, .body = {}};
    answer.fields.add("Location",
                      std::string(path) + "/" + std::string(target.substr(path.size())));
    answer.fields.add("Content-Type", "text/plain; charset=utf-8");
    answer.body = http::share("this is a directory: its address ends with '/'\n");
    return answer;
}

http::Answer not_satisfiable(std::uint64_t content_bytes) {
    http::Answer answer =
        refusal(416, "no such range: the content has " + std::to_string(content_bytes) + " bytes.");
    answer.fields.add("Content-Range", "bytes */" + std::to_string(content_bytes));
    return answer;
}

Result<std::string> list_directory(const interfaces::Content& directory, bool is_root) {
    const std::uint64_t count = directory.info().leaves;
    const std::uint64_t listed = std::min<std::uint64_t>(count, kListedEntriesMax);
    const std::string address = to_hex(directory.info().hash.view());
    std::string page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                       address +
                       "</title>\n<style>body{font-family:sans-serif;margin:2em}</style></head>\n"
                       "<body><h1>Directory</h1><p><code>" +
                       address + "</code></p>\n<ul>\n";
    if (!is_root) page += "<li><a href=\"../\">..</a></li>\n";
    for (std::uint64_t first = 0; first < listed;) {
        DRACO_TRY(entries,
                  directory.entries(first, std::min<std::size_t>(kEntriesAtOnce, listed - first)));
        if (entries.empty()) return fail(Errc::Corrupt, "a directory with fewer entries than said");
        for (const types::DirectoryEntry& entry : entries) append_entry(page, entry);
        first += entries.size();
    }
    page += "</ul>\n";
    if (count > listed) page += "<p>and " + std::to_string(count - listed) + " more entries</p>\n";
    page += "</body></html>\n";
    return page;
}

std::string listing_etag(const types::ContentHash& hash) {
    return "\"" + to_hex(hash.view()) + ".listing-1\"";
}

http::Answer listing(std::string page, std::string_view etag) {
    http::Answer answer = listing_not_modified(etag);
    answer.status = 200;
    answer.fields.add("Content-Type", "text/html; charset=utf-8");
    answer.body = http::share(std::move(page));
    return answer;
}

http::Answer listing_not_modified(std::string_view etag) {
    http::Answer answer{.status = 304, .shared_fields = listing_fields(), .fields = {}, .body = {}};
    answer.fields.add("ETag", etag);
    return answer;
}

}  // namespace draco::gateway
