// draco ls: what a node of the user stores, or what is in a folder.

#include "content_commands.hpp"
#include "content_owner.hpp"
#include "content_roots.hpp"
#include "content_store.hpp"
#include "date_text.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

constexpr std::string_view kNotHere = "not here";

std::string pinned_text(const ListedObject& object) {
    return object.pinned ? "pinned" : "";
}

// A name that is not known is no reason to show nothing.
ContentRoots known_roots(const Invocation& invocation, const ContentOwner& owner) {
    auto roots = read_roots(owner.home());
    if (roots) return *std::move(roots);
    print_error(invocation, roots.error());
    return {};
}

// --- one folder or file ---

void add_size(json::value& entry, const ListedObject* object) {
    if (object == nullptr) return;
    json::object& made = entry.as_object();
    made["kind"] = object->kind;
    made[object->kind == "file" ? "bytes" : "entries"] = object->size;
    made["pinned"] = object->pinned;
}

Result<> show_file(const Invocation& invocation, const Listing& listing, const std::string& hash) {
    const ListedObject* const object = listing.find(hash);
    if (invocation.json) {
        json::value made = json::object{{"hash", hash}, {"kind", "file"}};
        add_size(made, object);
        print_value(invocation, made);
        return {};
    }
    print_table({"address", "kind", "size", ""},
                {{hash,
                  "file",
                  object == nullptr ? std::string(kNotHere) : size_text(*object),
                  object == nullptr ? "" : pinned_text(*object)}});
    return {};
}

Result<> show_entries(const Invocation& invocation, const Listing& listing, json::array entries) {
    std::vector<std::vector<std::string>> rows;
    for (json::value& each : entries) {
        DRACO_TRY(name, text_member(each, "name"));
        if (each.as_object().contains("link")) {
            DRACO_TRY(target, text_member(each, "link"));
            each.as_object()["kind"] = "link";
            rows.push_back({std::move(name), "link", "", "-> " + target});
            continue;
        }
        DRACO_TRY(hash, text_member(each, "hash"));
        const ListedObject* const object = listing.find(hash);
        add_size(each, object);
        rows.push_back({std::move(name),
                        object == nullptr ? "-" : object->kind,
                        object == nullptr ? std::string(kNotHere) : size_text(*object),
                        std::move(hash)});
    }
    if (invocation.json)
        print_value(invocation, json::object{{"entries", entries}});
    else
        print_table({"name", "kind", "size", "address"}, rows);
    return {};
}

Result<> show_one(const Invocation& invocation,
                  const ContentOwner& owner,
                  const std::string& what) {
    DRACO_TRY(hash, resolve_content(owner, what));
    auto entries = entries_of(owner, hash);
    DRACO_TRY(listing, list_all(owner));
    if (entries) return show_entries(invocation, listing, *std::move(entries));
    if (entries.error().code != Errc::InvalidArgument) return std::unexpected(entries.error());
    return show_file(invocation, listing, hash);
}

// --- all that is stored ---

struct Overview {
    std::vector<const ListedObject*> roots;
    std::uint64_t below = 0;   // objects that the roots lead to
    std::uint64_t others = 0;  // fetched for others, or left by what was unpinned
};

using ChildrenByFolder = std::map<std::string, std::vector<std::string>>;

// A folder that cannot be read has none: the others are shown all the same.
ChildrenByFolder children_by_folder(const ContentOwner& owner, const Listing& listing) {
    ChildrenByFolder made;
    for (const auto& [hash, object] : listing.objects)
        if (object.kind == "directory")
            made[hash] = children_of(owner, hash).value_or(std::vector<std::string>());
    return made;
}

void add_below(const std::string& root,
               const ChildrenByFolder& children,
               std::set<std::string>& reached) {
    std::vector<std::string> open = {root};
    while (!open.empty()) {
        const auto found = children.find(open.back());
        open.pop_back();
        if (found == children.end()) continue;
        for (const std::string& child : found->second)
            if (reached.insert(child).second) open.push_back(child);
    }
}

// Roots are what was put or pinned by name, and pinned objects that no other has an entry for.
Overview overview(const ContentOwner& owner, const Listing& listing, const ContentRoots& named) {
    const ChildrenByFolder children = children_by_folder(owner, listing);
    std::set<std::string> below_any;
    for (const auto& each : children) below_any.insert(each.second.begin(), each.second.end());
    Overview made;
    std::set<std::string> reached;
    for (const auto& [hash, object] : listing.objects) {
        if (!named.contains(hash) && (!object.pinned || below_any.contains(hash))) continue;
        made.roots.push_back(&object);
        add_below(hash, children, reached);
    }
    for (const auto& [hash, object] : listing.objects) {
        if (std::ranges::find(made.roots, &object) != made.roots.end()) continue;
        ++(reached.contains(hash) ? made.below : made.others);
    }
    const auto put_ms = [&](const ListedObject* object) {
        const auto found = named.find(object->hash);
        return found == named.end() ? 0 : found->second.put_ms;
    };
    std::ranges::sort(made.roots, [&](const ListedObject* a, const ListedObject* b) {
        return std::pair(put_ms(b), a->hash) < std::pair(put_ms(a), b->hash);
    });
    return made;
}

void print_json(const Invocation& invocation, const Listing& listing, const ContentRoots& named) {
    json::array objects;
    for (const auto& [hash, object] : listing.objects) {
        json::object made{{"hash", hash},
                          {"kind", object.kind},
                          {object.kind == "file" ? "bytes" : "entries", object.size},
                          {"pinned", object.pinned}};
        if (const auto found = named.find(hash); found != named.end()) {
            made["name"] = found->second.name;
            made["put_ms"] = found->second.put_ms;
        }
        objects.push_back(std::move(made));
    }
    print_value(invocation, json::object{{"objects", objects}, {"usage", listing.usage}});
}

Result<> print_usage(const Listing& listing) {
    DRACO_TRY(bytes, number_member(listing.usage, "bytes"));
    DRACO_TRY(bytes_max, number_member(listing.usage, "bytes_max"));
    std::printf("%s; %s of %s used\n",
                counted(listing.objects.size(), "object").c_str(),
                human_bytes(static_cast<double>(bytes)).c_str(),
                human_bytes(static_cast<double>(bytes_max)).c_str());
    return {};
}

Result<> show_roots(const ContentOwner& owner, const Listing& listing, const ContentRoots& named) {
    const Overview made = overview(owner, listing, named);
    std::vector<std::vector<std::string>> rows;
    rows.reserve(made.roots.size());
    for (const ListedObject* object : made.roots) {
        const auto found = named.find(object->hash);
        const bool is_named = found != named.end();
        rows.push_back({is_named && !found->second.name.empty() ? found->second.name : "-",
                        object->kind,
                        size_text(*object),
                        is_named ? date_text(found->second.put_ms) : "-",
                        pinned_text(*object),
                        object->hash});
    }
    if (!rows.empty()) print_table({"name", "kind", "size", "since (UTC)", "", "address"}, rows);
    std::string folded;
    if (made.below > 0) folded = "and " + counted(made.below, "object") + " in them";
    if (made.others > 0)
        folded += (folded.empty() ? "and " : ", ") + counted(made.others, "other") +
                  " that readers asked for or that was unpinned";
    if (!folded.empty()) std::printf("%s; --all lists them\n", folded.c_str());
    return print_usage(listing);
}

Result<> show_all(const Listing& listing, const ContentRoots& named) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(listing.objects.size());
    for (const auto& [hash, object] : listing.objects) {
        const auto found = named.find(hash);
        rows.push_back({hash,
                        object.kind,
                        size_text(object),
                        pinned_text(object),
                        found == named.end() ? "" : found->second.name});
    }
    print_table({"address", "kind", "size", "", "name"}, rows);
    return print_usage(listing);
}

}  // namespace

Result<> run_ls(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(owner, ContentOwner::of(invocation));
    if (!options.hash.empty()) return show_one(invocation, owner, options.hash);
    DRACO_TRY(listing, list_all(owner));
    const ContentRoots named = known_roots(invocation, owner);
    if (invocation.json) {
        print_json(invocation, listing, named);
        return {};
    }
    return options.all ? show_all(listing, named) : show_roots(owner, listing, named);
}

}  // namespace draco
