#pragma once
// JSON of which every member is accounted for: a value that knows its path ("nodes[2].key"), so
// that an error can say where it is. Boost.JSON parses; an object with a member twice is refused.

#include "draco/base/result.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace draco::node {

inline constexpr std::size_t kJsonDepthMax = 8;

// InvalidArgument: "name:line: ...".
Result<boost::json::value> parse_strict_json(std::string_view text, std::string_view name);

// A view of one value; the parsed document outlives it. Errors are InvalidArgument: "name: path
// must be ...".
class JsonPlace {
public:
    JsonPlace(const boost::json::value& value, std::string_view name)
        : value_(&value), name_(name) {}

    // Exactly these members, in any order.
    Result<> expect_members(std::initializer_list<std::string_view> names) const;
    // Precondition: expect_members named it.
    JsonPlace member(std::string_view member_name) const;
    Result<std::vector<JsonPlace>> elements(std::size_t count_max) const;

    Result<std::string_view> text() const;
    Result<std::uint64_t> integer(std::uint64_t min, std::uint64_t max) const;
    std::unexpected<Error> expected(const std::string& what) const;

private:
    JsonPlace(const boost::json::value& value, std::string_view name, std::string path)
        : value_(&value), name_(name), path_(std::move(path)) {}

    const boost::json::value* value_;
    std::string_view name_;
    std::string path_;
};

}  // namespace draco::node
