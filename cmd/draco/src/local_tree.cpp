#include "local_tree.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/directory.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace draco {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLevelsMax = 64;

std::unexpected<Error> cannot(const std::string& path, const std::string& why) {
    return fail(Errc::InvalidArgument, "\"" + path + "\" cannot be published: " + why);
}

std::unexpected<Error> failed(const std::string& path, const std::error_code& error) {
    return fail(error == std::errc::no_such_file_or_directory ? Errc::NotFound : Errc::Io,
                "cannot read \"" + path + "\": " + error.message());
}

class Walk {
public:
    Result<LocalTree> from(const std::string& path) {
        std::error_code error;
        const fs::file_status status = fs::status(path, error);
        if (error) return failed(path, error);
        root_ = path;
        DRACO_TRY(root, entry(path, "", status, 0));
        tree_.root = std::move(root);
        if (unsaid_ > 0)
            tree_.link_warnings.push_back(std::to_string(unsaid_) + " more links are like these");
        return std::move(tree_);
    }

private:
    Result<LocalEntry> entry(const std::string& path,
                             std::string name,
                             const fs::file_status& status,
                             std::size_t level) {
        LocalEntry made{.path = path, .name = std::move(name)};
        std::error_code error;
        switch (status.type()) {
            case fs::file_type::regular:
                made.bytes = fs::file_size(path, error);
                if (error) return failed(path, error);
                ++tree_.files;
                tree_.bytes += made.bytes;
                return made;
            case fs::file_type::directory:
                made.kind = LocalEntry::Kind::Directory;
                DRACO_TRY_VOID(read_entries(made, level));
                if (level > 0) ++tree_.folders;
                if (made.entries.empty()) ++tree_.empty_folders;
                return made;
            case fs::file_type::symlink:
                made.kind = LocalEntry::Kind::Link;
                made.target = fs::read_symlink(path, error).string();
                if (error) return failed(path, error);
                if (!blake3_tree::is_symlink_target(made.target) || !bcs::is_utf8(made.target))
                    return cannot(path, "its target is too long, or not UTF-8");
                ++tree_.links;
                check_link(made);
                return made;
            default:
                return cannot(path, "it is neither a file nor a directory nor a link");
        }
    }

    void check_link(const LocalEntry& link) {
        std::string why;
        std::error_code error;
        if (fs::path(link.target).is_absolute())
            why = "is absolute, so it leads from the top of the published folder";
        else if (leaves_root(link))
            why = "leads out of the folder, so it ends at its top when it is published";
        else if (!fs::exists(fs::status(link.path, error)))
            why = "leads to nothing";
        if (why.empty()) return;
        if (tree_.link_warnings.size() == kLinkWarningsMax) {
            ++unsaid_;
            return;
        }
        tree_.link_warnings.push_back("the link \"" + link.path + "\" -> \"" + link.target + "\" " +
                                      why);
    }

    // By the words of its target alone.
    bool leaves_root(const LocalEntry& link) const {
        const fs::path from = fs::path(link.path).lexically_relative(root_).parent_path();
        std::ptrdiff_t level = std::distance(from.begin(), from.end());
        for (const fs::path& part : fs::path(link.target)) {
            if (part == "..")
                --level;
            else if (part != "." && !part.empty())
                ++level;
            if (level < 0) return true;
        }
        return false;
    }

    Result<> read_entries(LocalEntry& directory, std::size_t level) {
        if (level == kLevelsMax)
            return cannot(directory.path,
                          "it lies more than " + std::to_string(kLevelsMax) + " levels deep");
        std::error_code error;
        fs::directory_iterator each(directory.path, error);
        for (; !error && each != fs::directory_iterator(); each.increment(error)) {
            if (directory.entries.size() == blake3_tree::kDirectoryEntriesMax)
                return cannot(directory.path,
                              "it has more than " +
                                  std::to_string(blake3_tree::kDirectoryEntriesMax) + " entries");
            const std::string name = each->path().filename().string();
            if (!bcs::is_utf8(name)) return cannot(each->path().string(), "its name is not UTF-8");
            const fs::file_status status = each->symlink_status(error);
            if (error) return failed(each->path().string(), error);
            DRACO_TRY(made, entry(each->path().string(), name, status, level + 1));
            directory.entries.push_back(std::move(made));
        }
        if (error) return failed(directory.path, error);
        std::ranges::sort(directory.entries, [](const LocalEntry& a, const LocalEntry& b) {
            return std::ranges::lexicographical_compare(as_bytes(a.name), as_bytes(b.name));
        });
        return {};
    }

    std::string root_;
    std::uint64_t unsaid_ = 0;
    LocalTree tree_;
};

}  // namespace

Result<LocalTree> read_local_tree(const std::string& path) {
    return Walk().from(path);
}

}  // namespace draco
