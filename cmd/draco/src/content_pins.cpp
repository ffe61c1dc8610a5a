// draco pin, unpin, rm: what a node of the user keeps.

#include "draco/blake3_tree/hash_tree.hpp"
#include "draco/io/system_clock.hpp"

#include "content_commands.hpp"
#include "content_owner.hpp"
#include "content_roots.hpp"
#include "content_store.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>
#include <ranges>
#include <set>
#include <thread>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

constexpr Duration kPinLookEvery = std::chrono::milliseconds(100);

// Whether the pinned object is a directory. Waits until it is there.
Result<bool> pin_one(const ContentOwner& owner, const std::string& hash, Progress& progress) {
    std::uint64_t told = 0;
    while (true) {
        DRACO_TRY(reply, owner.ask("PUT", "pins/" + hash));
        if (reply.status == 200) break;
        DRACO_TRY(here, number_member(reply.body, "blocks_here"));
        progress.advance((here - std::min(here, told)) * blake3_tree::kBlockBytes);
        told = here;
        std::this_thread::sleep_for(kPinLookEvery);
    }
    const auto children = owner.ask("GET", "objects/" + hash + "/entries?first=0");
    if (children) return true;
    if (children.error().code == Errc::InvalidArgument) return false;
    return std::unexpected(children.error());
}

// What a folder leads to on this node, and what of it others there need.
struct Shared {
    Walked below;
    std::set<std::string> kept;
};

// Pinned folders keep what they have an entry for, and so does what was put or pinned by itself.
Result<Shared> shared_of(const ContentOwner& owner,
                         const Listing& listing,
                         const std::string& root) {
    Shared made;
    DRACO_TRY_VOID(walk_stored(owner, listing, root, made.below));
    for (const auto& [hash, object] : listing.objects) {
        if (!object.pinned || object.kind != "directory" || made.below.seen.contains(hash))
            continue;
        DRACO_TRY(children, children_of(owner, hash));
        made.kept.insert(children.begin(), children.end());
    }
    DRACO_TRY(roots, read_roots(owner.home()));
    Walked others;
    for (const auto& each : roots) {
        if (each.first == root || listing.find(each.first) == nullptr) continue;
        DRACO_TRY_VOID(walk_stored(owner, listing, each.first, others));
    }
    made.kept.insert(others.seen.begin(), others.seen.end());
    return made;
}

// What is named on the command line, which must be on the node.
Result<std::string> stored(const ContentOwner& owner,
                           const Listing& listing,
                           const std::string& hash) {
    if (listing.find(hash) != nullptr) return hash;
    return fail(Errc::NotFound,
                hash + " is not on the node at " + owner.url() + "; draco ls shows what is");
}

Result<> remove_one(const ContentOwner& owner, const std::string& hash) {
    const auto removed = owner.ask("DELETE", "objects/" + hash);
    // Evicted meanwhile.
    if (!removed && removed.error().code != Errc::NotFound) return std::unexpected(removed.error());
    return {};
}

void print_removed(const Invocation& invocation,
                   const std::string& hash,
                   std::uint64_t removed,
                   std::uint64_t bytes,
                   std::uint64_t kept) {
    if (invocation.json)
        return print_value(
            invocation,
            json::object{{"hash", hash}, {"removed", removed}, {"bytes", bytes}, {"kept", kept}});
    std::printf("removed %s, %s",
                counted(removed, "object").c_str(),
                human_bytes(static_cast<double>(bytes)).c_str());
    if (kept > 0)
        std::printf("; %llu stay%s, because something else that was put or pinned has them",
                    static_cast<unsigned long long>(kept),
                    kept == 1 ? "s" : "");
    std::puts(". Other nodes may keep copies");
}

}  // namespace

Result<> run_pin(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY(root, resolve_content(owner, options.hash));
    const io::SystemClock clock;
    Walked walked;
    {
        Progress progress(clock, "pin", 0);
        DRACO_TRY_VOID(walk(owner, root, walked, [&](const std::string& hash) {
            auto is_directory = pin_one(owner, hash, progress);
            if (is_directory && options.this_object_only) *is_directory = false;
            return is_directory;
        }));
    }
    DRACO_TRY(roots, read_roots(owner.home()));
    const std::size_t slash = options.hash.rfind('/');
    const bool is_inside = slash != std::string::npos && !options.hash.contains("://");
    if (!options.this_object_only && !roots.contains(root))
        DRACO_TRY_VOID(add_root(
            owner.home(), root, is_inside ? options.hash.substr(slash + 1) : std::string()));
    if (invocation.json)
        print_value(invocation, json::object{{"hash", root}, {"pinned", walked.order.size()}});
    else
        std::printf("pinned %s\n", counted(walked.order.size(), "object").c_str());
    return {};
}

Result<> run_unpin(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY(named, resolve_content(owner, options.hash));
    DRACO_TRY(listing, list_all(owner));
    DRACO_TRY(root, stored(owner, listing, named));
    std::uint64_t unpinned = 1;
    DRACO_TRY_VOID(owner.ask("DELETE", "pins/" + root));
    if (!options.this_object_only) {
        DRACO_TRY(shared, shared_of(owner, listing, root));
        for (const std::string& hash : shared.below.order) {
            const ListedObject* const object = listing.find(hash);
            if (hash == root || object == nullptr || !object->pinned || shared.kept.contains(hash))
                continue;
            DRACO_TRY_VOID(owner.ask("DELETE", "pins/" + hash));
            ++unpinned;
        }
    }
    if (invocation.json)
        print_value(invocation, json::object{{"hash", root}, {"unpinned", unpinned}});
    else
        std::printf("unpinned %s\n", counted(unpinned, "object").c_str());
    return {};
}

// The folder goes last: as long as it is there, the command can be repeated.
Result<> run_rm(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY(named, resolve_content(owner, options.hash));
    DRACO_TRY(listing, list_all(owner));
    DRACO_TRY(root, stored(owner, listing, named));
    std::uint64_t removed = 0;
    std::uint64_t bytes = 0;
    std::uint64_t kept = 0;
    Shared shared;
    shared.below.order = {root};
    if (!options.this_object_only) {
        DRACO_TRY(found, shared_of(owner, listing, root));
        shared = std::move(found);
        if (shared.kept.contains(root))
            return fail(Errc::InvalidArgument,
                        root +
                            " is in something else that was put or pinned on this node, so it "
                            "stays, and nothing was removed: remove that first, or give "
                            "--this-object-only to make a hole in it");
    }
    for (const std::string& hash : shared.below.order | std::views::reverse) {
        const ListedObject* const object = listing.find(hash);
        if (object == nullptr) continue;
        if (shared.kept.contains(hash)) {
            ++kept;
            continue;
        }
        DRACO_TRY_VOID(remove_one(owner, hash));
        ++removed;
        if (object->kind == "file") bytes += object->size;
    }
    DRACO_TRY_VOID(remove_root(owner.home(), root));
    print_removed(invocation, root, removed, bytes, kept);
    return {};
}

}  // namespace draco
