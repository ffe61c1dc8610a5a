#include "path_walk.hpp"

#include "draco/sdk/answer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace draco::cdn {
namespace {

using sdk::printable;

Refusal not_found(std::string text) {
    return {.status = 404, .text = std::move(text)};
}

// Components of a symbolic link's target, without those that lead nowhere.
std::deque<std::string> components(std::string_view target) {
    std::deque<std::string> names;
    while (!target.empty()) {
        const std::string_view name = target.substr(0, target.find('/'));
        if (!name.empty() && name != ".") names.emplace_back(name);
        target.remove_prefix(std::min(name.size() + 1, target.size()));
    }
    return names;
}

}  // namespace

PathWalk::PathWalk(ContentPath path)
    : path_(std::move(path)), pending_(path_.segments.begin(), path_.segments.end()) {}

PathWalk::Step PathWalk::opened(types::ContentKind kind) {
    if (kind == types::ContentKind::Directory) {
        if (is_index_ && pending_.empty())
            return not_found("'" + std::string(kIndexName) + "' in " + where() +
                             " is a directory, so there is no page to show");
        if (root_is_open_) directories_.push_back(std::exchange(name_, {}));
        root_is_open_ = true;
        return next();
    }
    const std::string what = root_is_open_ ? "'" + printable(name_) + "'" : "the content";
    if (!pending_.empty())
        return not_found(what + " is a file, not a directory: there is no '" +
                         printable(pending_.front()) + "' in it");
    if (path_.has_slash_at_end && !is_index_)
        return not_found(what + " is a file: ask for it without the '/' at the end");
    return ServeFile{name_};
}

// The last directory is open.
PathWalk::Step PathWalk::next() {
    while (!pending_.empty()) {
        std::string name = std::move(pending_.front());
        pending_.pop_front();
        if (name != "..") return look_up(std::move(name));
        if (!leave_directory()) return leads_out();
    }
    if (is_index_)
        return not_found("'" + std::string(kIndexName) + "' is a symbolic link to a directory");
    if (!path_.has_slash_at_end) return RedirectToSlash{};
    is_index_ = true;
    may_have_no_index_ = true;
    return look_up(std::string(kIndexName));
}

PathWalk::Step PathWalk::look_up(std::string name) {
    if (++lookups_ > kLookupsMax)
        return not_found("the path leads through too many symbolic links");
    name_ = std::move(name);
    return Find{.depth = directories_.size(), .name = name_};
}

bool PathWalk::leave_directory() {
    if (directories_.empty()) return false;
    directories_.pop_back();
    return true;
}

PathWalk::Step PathWalk::found(const std::optional<types::DirectoryEntry>& entry) {
    if (!entry) return missing();
    may_have_no_index_ = false;
    if (const auto* hash = std::get_if<types::ContentHash>(&entry->target)) return Open{*hash};
    return follow(std::get<types::LinkTarget>(entry->target));
}

// Relative to the directory that the link is in, and never above the root: what a content shows is
// decided by its address alone.
PathWalk::Step PathWalk::follow(const types::LinkTarget& target) {
    last_symlink_ = printable(name_);
    if (++symlinks_ > kSymlinksMax)
        return not_found("more than " + std::to_string(kSymlinksMax) +
                         " symbolic links on the way, the last being '" + last_symlink_ + "'");
    const std::string& text = *target;
    if (text.starts_with('/')) return leads_out();
    std::deque<std::string> names = components(text);
    pending_.insert(pending_.begin(),
                    std::make_move_iterator(names.begin()),
                    std::make_move_iterator(names.end()));
    return next();
}

PathWalk::Step PathWalk::missing() const {
    if (may_have_no_index_) return ListDirectory{directories_.size()};
    std::string text = "there is no '" + printable(name_) + "' in " + where();
    if (!last_symlink_.empty())
        text += " (on the way was the symbolic link '" + last_symlink_ + "')";
    return not_found(std::move(text));
}

// Also if it would come back: above the root there are no names to come back by.
PathWalk::Step PathWalk::leads_out() const {
    return not_found("the symbolic link '" + last_symlink_ +
                     "' leads out of the content that was asked for");
}

std::string PathWalk::where() const {
    if (directories_.empty()) return "the content's root directory";
    std::string path = "'";
    for (const std::string& name : directories_) path += "/" + printable(name);
    return path + "'";
}

}  // namespace draco::cdn
