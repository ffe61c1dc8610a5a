#include "listing.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace draco::cdn {
namespace {

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

ListingPage::ListingPage(const types::ContentInfo& directory, bool is_root)
    : entries_(directory.leaves), listed_(std::min(entries_, kListedEntriesMax)) {
    const std::string address = to_hex(directory.hash.view());
    page_ = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + address +
            "</title>\n<style>body{font-family:sans-serif;margin:2em}</style></head>\n"
            "<body><h1>Directory</h1><p><code>" +
            address + "</code></p>\n<ul>\n";
    if (!is_root) page_ += "<li><a href=\"../\">..</a></li>\n";
}

Result<> ListingPage::add(const std::vector<types::DirectoryEntry>& entries) {
    if (entries.empty() || entries.size() > listed_ - next_)
        return fail(Errc::Corrupt, "a directory with other entries than it said");
    for (const types::DirectoryEntry& entry : entries) append_entry(page_, entry);
    next_ += entries.size();
    return {};
}

std::string ListingPage::finish() && {
    page_ += "</ul>\n";
    if (entries_ > listed_)
        page_ += "<p>and " + std::to_string(entries_ - listed_) + " more entries</p>\n";
    page_ += "</body></html>\n";
    return std::move(page_);
}

}  // namespace draco::cdn
