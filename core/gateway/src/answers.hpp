#pragma once
// The answers that are no content: refusals, redirects, listings; and the fields that all have.

#include "draco/base/clock.hpp"
#include "draco/http/answer.hpp"
#include "draco/interfaces/content.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace draco::gateway {

inline constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";
inline constexpr std::size_t kListedEntriesMax = 1'000;

// Of what an address proves: it never changes, and any page may read it.
std::shared_ptr<const http::FieldBlock> content_fields();

// Text for a person, with a line end; not to be stored.
http::Answer refusal(unsigned status, std::string text);

// Why a content, or its first block, could not be had.
http::Answer refusal_for(const Error& error, const types::ContentHash& hash);

http::Answer wrong_method();
http::Answer preflight();
http::Answer too_many(Duration wait);
// `path` as it was sent, with its query.
http::Answer redirect_to_slash(std::string_view target);
http::Answer not_satisfiable(std::uint64_t content_bytes);

// A page with links to the entries of a directory. `is_root`: without a link to what is above.
Result<std::string> list_directory(const interfaces::Content& directory, bool is_root);

// The listing's own: it is made here, and may be made in another way tomorrow.
std::string listing_etag(const types::ContentHash& hash);
http::Answer listing(std::string page, std::string_view etag);
http::Answer listing_not_modified(std::string_view etag);

}  // namespace draco::gateway
