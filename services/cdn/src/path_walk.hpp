#pragma once
// From an address and a path to an object, step by step and without I/O: the caller opens objects
// and looks up names as it is told, and tells what it found.

#include "draco/types/content.hpp"

#include "content_path.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace draco::cdn {

inline constexpr std::size_t kSymlinksMax = 16;  // followed for one request
inline constexpr std::size_t kLookupsMax = 256;  // of names, for one request
inline constexpr std::string_view kIndexName = "index.html";

class PathWalk {
public:
    // Open this object, then opened(). It is below the directory of the last Find; the root has
    // none.
    struct Open {
        types::ContentHash hash;
    };

    // Look the name up, then found(). The directory is the depth-th of those that were opened on
    // the way, 0 being the root; deeper ones are not needed any more.
    struct Find {
        std::size_t depth = 0;
        std::string name;
    };

    // The object that was opened last. `name` is its last name; empty for a root.
    struct ServeFile {
        std::string name;
    };

    // The directory at the depth, which has no index.html.
    struct ListDirectory {
        std::size_t depth = 0;
    };

    // A directory that was asked for without a slash at the end: relative links would go wrong.
    struct RedirectToSlash {};

    using Step = std::variant<Open, Find, ServeFile, ListDirectory, RedirectToSlash, Refusal>;

    explicit PathWalk(ContentPath path);

    Step begin() const { return Open{path_.root}; }

    Step opened(types::ContentKind kind);
    Step found(const std::optional<types::DirectoryEntry>& entry);

    const ContentPath& path() const { return path_; }

private:
    Step next();
    Step look_up(std::string name);
    Step follow(const types::LinkTarget& target);
    // Into the directory above. False at the root, which has none.
    bool leave_directory();
    Step missing() const;
    Step leads_out() const;
    std::string where() const;

    ContentPath path_;
    std::deque<std::string> pending_;
    std::vector<std::string> directories_;  // names of those that are open below the root
    bool root_is_open_ = false;
    std::string name_;  // looked up last
    std::size_t symlinks_ = 0;
    std::size_t lookups_ = 0;
    std::string last_symlink_;
    bool is_index_ = false;           // what is being looked for is not in the path
    bool may_have_no_index_ = false;  // and need not be there
};

}  // namespace draco::cdn
