#pragma once
// What a node of the user stores, and what leads to what in it. Blocks.

#include "draco/base/result.hpp"

#include "content_owner.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace draco {

struct ListedObject {
    std::string hash;
    std::string kind;        // "file", "directory"
    std::uint64_t size = 0;  // bytes, or entries
    bool pinned = false;
};

struct Listing {
    std::map<std::string, ListedObject> objects;  // by hash
    boost::json::value usage;

    const ListedObject* find(const std::string& hash) const;
};

Result<Listing> list_all(const ContentOwner& owner);

// "12.3 MB", "1 entry".
std::string size_text(const ListedObject& object);
// "1 object", "2 objects".
std::string counted(std::uint64_t count, const std::string& one);

// Of a directory, all pages together; fetched if need be. InvalidArgument for a file.
Result<boost::json::array> entries_of(const ContentOwner& owner, const std::string& hash);
Result<std::vector<std::string>> children_of(const ContentOwner& owner, const std::string& hash);

struct Walked {
    std::vector<std::string> order{};  // each object once, before those that it alone leads to
    std::set<std::string> seen{};
};

// `visit` answers whether the object is a directory to go into.
Result<> walk(const ContentOwner& owner,
              const std::string& root,
              Walked& walked,
              const std::function<Result<bool>(const std::string& hash)>& visit);
// As far as the node stores it.
Result<> walk_stored(const ContentOwner& owner,
                     const Listing& listing,
                     const std::string& root,
                     Walked& walked);

// The hash that HASH, HASH/PATH or a URL means, in hex.
Result<std::string> resolve_content(const ContentOwner& owner, const std::string& text);

}  // namespace draco
