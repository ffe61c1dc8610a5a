#pragma once
// The answers that are no content: refusals, redirects, listings; and the fields of content.

#include "draco/base/result.hpp"
#include "draco/sdk/answer.hpp"
#include "draco/types/content.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace draco::cdn {

// Of what an address proves: it never changes. Without a body.
sdk::Answer content_answer(unsigned status);

// Why a content, or its first block, could not be had.
sdk::Answer refusal_for(const Error& error, const types::ContentHash& hash);

// `target` as it was sent, with its query.
sdk::Answer redirect_to_slash(std::string_view target);
sdk::Answer not_satisfiable(std::uint64_t content_bytes);

// The listing's own: it is made here, and may be made in another way tomorrow.
std::string listing_etag(const types::ContentHash& hash);
sdk::Answer listing(std::string page, std::string etag);
sdk::Answer listing_not_modified(std::string etag);

}  // namespace draco::cdn
