#pragma once
// What a folder leads to, before any of it is written.
//
// A folder names others by their hashes, and the same one as often as it likes: forty folders that
// each name the next one twice are small, and a trillion paths. So each object is listed once, and
// the paths are counted without walking them.

#include "draco/base/result.hpp"
#include "draco/types/content.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace draco {

struct GetLimits {
    std::uint64_t entries_max = 1'000'000;  // files, folders and links that are made
    std::uint64_t bytes_max = std::uint64_t{256} << 30;
    std::uint64_t depth_max = 64;  // folders inside each other
};

class GetPlan {
public:
    using Entries = std::vector<types::DirectoryEntry>;
    // Nothing for a file.
    using List = std::function<Result<std::optional<Entries>>(const types::ContentHash& hash)>;

    explicit GetPlan(const GetLimits& limits) : limits_(limits) {}

    // Adds what `hash` leads to. Exhausted: beyond the limits, with how much it is; nothing of it
    // is to be written then. Else the errors of `list`, which is called once for each object, at
    // most entries_max times.
    Result<> add(const types::ContentHash& hash, const List& list);

    // It is a file after all: no, it is to be listed again.
    void forget(const types::ContentHash& hash) { known_.erase(hash); }

    // Of a directory; null for a file. Precondition: added.
    const Entries* entries(const types::ContentHash& hash) const;

private:
    struct Known {
        std::optional<Entries> entries;
        std::uint64_t count = 1;  // with all below, along every path; saturated
        std::uint64_t depth = 0;  // of folders, itself included
    };

    Result<const Known*> visit(const types::ContentHash& hash,
                               std::uint64_t level,
                               const List& list);
    std::unexpected<Error> too_deep() const;

    const GetLimits limits_;
    std::map<types::ContentHash, Known> known_;
};

}  // namespace draco
