#include "disk_names.hpp"

#include "draco/simulon/disk.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace draco::simulon {
namespace {

std::string_view name_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string quoted(std::string_view path) {
    return "\"" + std::string(path) + "\"";
}

}  // namespace

std::string_view parent_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

DiskNames::DiskNames(std::uint64_t& used_bytes)
    : used_bytes_(used_bytes), root_(std::make_shared<Inode>(0, true, used_bytes)) {}

InodePtr DiskNames::find(std::string_view path) const {
    InodePtr inode = root_;
    while (!path.empty()) {
        if (!inode->is_directory) return nullptr;
        const auto slash = path.find('/');
        const auto at = visible_.find(Slot{inode->id, std::string(path.substr(0, slash))});
        if (at == visible_.end()) return nullptr;
        inode = at->second;
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return inode;
}

Result<DiskNames::Slot> DiskNames::slot_of(std::string_view path) const {
    if (path.empty())
        return fail(Errc::InvalidArgument, "the root directory cannot be created or changed");
    const InodePtr directory = find(parent_of(path));
    if (!directory || !directory->is_directory)
        return fail(Errc::NotFound, "no directory holds " + quoted(path) + ": create it first");
    return Slot{directory->id, std::string(name_of(path))};
}

Result<InodePtr> DiskNames::create(std::string_view path, bool is_directory) {
    DRACO_TRY(slot, slot_of(path));
    if (visible_.contains(slot)) return fail(Errc::AlreadyExists, quoted(path) + " exists already");
    auto inode = std::make_shared<Inode>(next_inode_++, is_directory, used_bytes_);
    make({.assignments = {{slot, inode}}, .needs = {}});
    return inode;
}

Result<> DiskNames::rename(std::string_view from, std::string_view to) {
    DRACO_TRY(source, slot_of(from));
    const auto at = visible_.find(source);
    if (at == visible_.end()) return fail(Errc::NotFound, quoted(from) + " does not exist");
    const InodePtr inode = at->second;
    DRACO_TRY(target, slot_of(to));
    if (source == target) return {};
    if (inode->is_directory && to.starts_with(from) && to[from.size()] == '/')
        return fail(Errc::InvalidArgument, quoted(from) + " cannot be moved into itself");
    if (const auto old = visible_.find(target);
        old != visible_.end() && (old->second->is_directory || inode->is_directory))
        return fail(Errc::AlreadyExists, quoted(to) + " exists; only a file replaces a file");
    Change change{.assignments = {{source, nullptr}, {target, inode}}, .needs = {}};
    if (source.directory != target.directory) need_place_of(parent_of(to), change);
    make(std::move(change));
    return {};
}

Result<> DiskNames::remove(std::string_view path, bool is_directory) {
    DRACO_TRY(slot, slot_of(path));
    const auto at = visible_.find(slot);
    if (at == visible_.end()) return fail(Errc::NotFound, quoted(path) + " does not exist");
    if (at->second->is_directory != is_directory)
        return fail(Errc::InvalidArgument,
                    quoted(path) + (is_directory ? " is a file" : " is a directory"));
    Change change{.assignments = {{slot, nullptr}}, .needs = {}};
    if (is_directory) {
        const std::uint64_t id = at->second->id;
        if (const auto child = visible_.lower_bound(Slot{id, ""});
            child != visible_.end() && child->first.directory == id)
            return fail(Errc::InvalidArgument, "directory " + quoted(path) + " is not empty");
        need_names_in(id, change);
    }
    make(std::move(change));
    return {};
}

Result<> DiskNames::sync(std::string_view directory) {
    const InodePtr inode = find(directory);
    if (!inode) return fail(Errc::NotFound, "directory " + quoted(directory) + " does not exist");
    if (!inode->is_directory)
        return fail(Errc::InvalidArgument, quoted(directory) + " is a file, not a directory");
    std::vector<std::uint64_t> ids;
    for (const auto& [id, change] : unsynced_)
        if (change.assignments.back().slot.directory == inode->id) ids.push_back(id);
    for (const std::uint64_t id : ids) make_durable(id);
    return {};
}

Result<std::vector<DirectoryEntry>> DiskNames::list(std::string_view directory) const {
    const InodePtr inode = find(directory);
    if (!inode) return fail(Errc::NotFound, "directory " + quoted(directory) + " does not exist");
    if (!inode->is_directory)
        return fail(Errc::InvalidArgument, quoted(directory) + " is a file, not a directory");
    std::vector<DirectoryEntry> entries;
    for (auto at = visible_.lower_bound(Slot{inode->id, ""});
         at != visible_.end() && at->first.directory == inode->id;
         ++at)
        entries.push_back({at->first.name, at->second->is_directory});
    return entries;
}

std::vector<InodePtr> DiskNames::files() const {
    std::map<std::uint64_t, InodePtr> by_id;
    const auto add = [&](const InodePtr& inode) {
        if (inode && !inode->is_directory) by_id.emplace(inode->id, inode);
    };
    for (const auto& [slot, inode] : durable_) add(inode);
    for (const auto& [id, change] : unsynced_)
        for (const Assignment& assignment : change.assignments) add(assignment.inode);
    std::vector<InodePtr> files;
    files.reserve(by_id.size());
    for (auto& [id, inode] : by_id) files.push_back(std::move(inode));
    return files;
}

void DiskNames::lose_unsynced(Survival survival, SeededRng& rng) {
    std::set<std::uint64_t> lost;
    for (const auto& [id, change] : unsynced_) {
        const bool can_survive = std::ranges::none_of(
            change.needs, [&](std::uint64_t needed) { return lost.contains(needed); });
        const bool survives = can_survive && (survival == Survival::All ||
                                              (survival == Survival::Some && rng.chance(0.5)));
        if (survives)
            apply(change, durable_);
        else
            lost.insert(id);
    }
    unsynced_.clear();
    last_change_.clear();
    visible_ = durable_;
}

void DiskNames::need_place_of(std::string_view directory, Change& change) const {
    for (; !directory.empty(); directory = parent_of(directory)) {
        const auto slot = slot_of(directory);
        DRACO_ASSERT(slot.has_value(), "a directory that was found lies in directories");
        if (const auto last = last_change_.find(*slot); last != last_change_.end())
            change.needs.push_back(last->second);
    }
}

void DiskNames::need_names_in(std::uint64_t directory, Change& change) const {
    for (auto at = last_change_.lower_bound(Slot{directory, ""});
         at != last_change_.end() && at->first.directory == directory;
         ++at)
        change.needs.push_back(at->second);
}

void DiskNames::make(Change change) {
    const std::uint64_t id = next_change_++;
    for (const Assignment& assignment : change.assignments) {
        const auto [last, is_first] = last_change_.try_emplace(assignment.slot, id);
        if (!is_first) change.needs.push_back(std::exchange(last->second, id));
    }
    apply(change, visible_);
    unsynced_.emplace(id, std::move(change));
    if (unsynced_.size() > kUnsyncedNamesMax) make_durable(unsynced_.begin()->first);
}

void DiskNames::make_durable(std::uint64_t id) {
    // Needs point to earlier changes only; the set is walked from the latest to the earliest.
    std::set<std::uint64_t> wanted{id};
    for (auto at = wanted.rbegin(); at != wanted.rend(); ++at) {
        const auto change = unsynced_.find(*at);
        if (change != unsynced_.end())
            wanted.insert(change->second.needs.begin(), change->second.needs.end());
    }
    for (const std::uint64_t each : wanted) {
        const auto change = unsynced_.find(each);
        if (change == unsynced_.end()) continue;
        apply(change->second, durable_);
        for (const Assignment& assignment : change->second.assignments)
            if (const auto last = last_change_.find(assignment.slot);
                last != last_change_.end() && last->second == each)
                last_change_.erase(last);
        unsynced_.erase(change);
    }
}

void DiskNames::apply(const Change& change, Names& names) {
    for (const auto& [slot, inode] : change.assignments)
        if (inode)
            names[slot] = inode;
        else
            names.erase(slot);
}

}  // namespace draco::simulon
