#pragma once
// A page with links to the entries of a directory that has no index.html.

#include "draco/base/result.hpp"
#include "draco/types/content.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco::cdn {

inline constexpr std::uint64_t kListedEntriesMax = 1'000;

// Made in steps: while wanted() is not 0, add() so many entries or fewer, from next() on.
class ListingPage {
public:
    // `is_root`: without a link to what is above.
    ListingPage(const types::ContentInfo& directory, bool is_root);

    std::uint64_t next() const { return next_; }

    std::uint64_t wanted() const { return listed_ - next_; }

    // Corrupt if there are none, or more than were wanted.
    Result<> add(const std::vector<types::DirectoryEntry>& entries);

    // Says how many entries there are beyond kListedEntriesMax.
    std::string finish() &&;

private:
    const std::uint64_t entries_;
    const std::uint64_t listed_;
    std::uint64_t next_ = 0;
    std::string page_;
};

}  // namespace draco::cdn
