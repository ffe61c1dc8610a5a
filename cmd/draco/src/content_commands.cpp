#include "content_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/io/system_clock.hpp"

#include "content_owner.hpp"
#include "local_tree.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"
#include "upload.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>
#include <thread>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

constexpr Duration kContentLookEvery = std::chrono::milliseconds(100);

void print_put(const Invocation& invocation,
               const std::string& path,
               const std::string& hash,
               const LocalTree& tree,
               const std::vector<std::string>& fronts) {
    json::array urls;
    for (const std::string& front : fronts)
        urls.emplace_back(content_url(front, hash, tree.root.kind == LocalEntry::Kind::Directory));
    if (invocation.json)
        return print_value(
            invocation,
            json::object{
                {"hash", hash}, {"bytes", tree.bytes}, {"files", tree.files}, {"urls", urls}});
    std::printf("%s: %llu file%s, %s\n%s\n",
                path.c_str(),
                static_cast<unsigned long long>(tree.files),
                tree.files == 1 ? "" : "s",
                human_bytes(static_cast<double>(tree.bytes)).c_str(),
                hash.c_str());
    for (const json::value& url : urls) std::printf("  %s\n", url.get_string().c_str());
}

// --- what a directory leads to ---

// Of a directory, all pages together.
Result<json::array> entries_of(const ContentOwner& owner, const std::string& hash) {
    json::array all;
    std::string first = "0";
    while (true) {
        std::string target = "objects/";
        target.append(hash).append("/entries?first=").append(first);
        DRACO_TRY(page, owner.ask("GET", target));
        const auto* object = page.body.if_object();
        const auto* entries = object == nullptr ? nullptr : object->if_contains("entries");
        const auto* next = object == nullptr ? nullptr : object->if_contains("next");
        if (entries == nullptr || !entries->is_array() || next == nullptr)
            return fail(Errc::Corrupt, owner.url() + " answers with no page of entries");
        for (const json::value& each : entries->get_array()) all.push_back(each);
        if (!next->is_number()) return all;
        first = std::to_string(next->to_number<std::uint64_t>());
    }
}

Result<std::vector<std::string>> children_of(const ContentOwner& owner, const std::string& hash) {
    DRACO_TRY(entries, entries_of(owner, hash));
    std::vector<std::string> children;
    for (const json::value& each : entries) {
        if (const auto* entry = each.if_object(); entry == nullptr || !entry->contains("hash"))
            continue;
        DRACO_TRY(child, text_member(each, "hash"));
        children.push_back(std::move(child));
    }
    return children;
}

struct Walked {
    std::uint64_t objects = 0;
    std::set<std::string> seen{};
};

// `visit` answers whether the object is a directory to go into.
Result<> walk(const ContentOwner& owner,
              const std::string& root,
              Walked& walked,
              const std::function<Result<bool>(const std::string& hash)>& visit) {
    std::vector<std::string> open = {root};
    while (!open.empty()) {
        const std::string hash = std::move(open.back());
        open.pop_back();
        if (!walked.seen.insert(hash).second) continue;
        DRACO_TRY(go_in, visit(hash));
        ++walked.objects;
        if (!go_in) continue;
        DRACO_TRY(children, children_of(owner, hash));
        for (std::string& child : children) open.push_back(std::move(child));
    }
    return {};
}

struct ListedObject {
    std::string hash;
    std::string kind;
    std::uint64_t size = 0;
    bool pinned = false;
};

struct Listing {
    std::vector<ListedObject> objects;
    json::value usage;
};

Result<Listing> list_all(const ContentOwner& owner) {
    Listing listing;
    std::string query;
    while (true) {
        DRACO_TRY(page, owner.ask("GET", "objects" + query));
        const auto* object = page.body.if_object();
        const auto* listed = object == nullptr ? nullptr : object->if_contains("objects");
        const auto* next = object == nullptr ? nullptr : object->if_contains("next");
        const auto* usage = object == nullptr ? nullptr : object->if_contains("usage");
        if (listed == nullptr || !listed->is_array() || next == nullptr || usage == nullptr)
            return fail(Errc::Corrupt, owner.url() + " answers with no page of objects");
        for (const json::value& each : listed->get_array()) {
            DRACO_TRY(hash, text_member(each, "hash"));
            DRACO_TRY(kind, text_member(each, "kind"));
            DRACO_TRY(size, number_member(each, kind == "file" ? "bytes" : "entries"));
            const auto* pinned = each.as_object().if_contains("pinned");
            listing.objects.push_back(
                {.hash = std::move(hash),
                 .kind = std::move(kind),
                 .size = size,
                 .pinned = pinned != nullptr && pinned->is_bool() && pinned->get_bool()});
        }
        listing.usage = *usage;
        if (!next->is_string()) return listing;
        query = "?after=" + std::string(next->get_string());
    }
}

Result<> check_hash(const std::string& text) {
    if (fixed_from_hex<types::ContentHash>(text)) return {};
    return fail(Errc::InvalidArgument,
                "\"" + text + "\" is no address: 64 hex digits, as draco put and draco ls show");
}

Result<> show_entries(const Invocation& invocation,
                      const ContentOwner& owner,
                      const std::string& hash) {
    DRACO_TRY_VOID(check_hash(hash));
    DRACO_TRY(entries, entries_of(owner, hash));
    if (invocation.json) {
        print_value(invocation, json::object{{"entries", entries}});
        return {};
    }
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : entries) {
        DRACO_TRY(name, text_member(each, "name"));
        const bool is_link = each.as_object().contains("link");
        DRACO_TRY(target, text_member(each, is_link ? "link" : "hash"));
        rows.push_back({std::move(name), is_link ? "-> " + target : target});
    }
    print_table({"name", "address"}, rows);
    return {};
}

std::string size_text(const ListedObject& object) {
    return object.kind == "file" ? human_bytes(static_cast<double>(object.size))
                                 : std::to_string(object.size) + " entries";
}

Result<> show_objects(const Invocation& invocation, const ContentOwner& owner) {
    DRACO_TRY(listing, list_all(owner));
    if (invocation.json) {
        json::array objects;
        for (const ListedObject& each : listing.objects)
            objects.push_back({{"hash", each.hash},
                               {"kind", each.kind},
                               {each.kind == "file" ? "bytes" : "entries", each.size},
                               {"pinned", each.pinned}});
        print_value(invocation, json::object{{"objects", objects}, {"usage", listing.usage}});
        return {};
    }
    std::vector<std::vector<std::string>> rows;
    rows.reserve(listing.objects.size());
    for (const ListedObject& each : listing.objects)
        rows.push_back({each.hash, each.kind, size_text(each), each.pinned ? "pinned" : ""});
    print_table({"address", "kind", "size", ""}, rows);
    DRACO_TRY(bytes, number_member(listing.usage, "bytes"));
    DRACO_TRY(bytes_max, number_member(listing.usage, "bytes_max"));
    std::printf("%zu objects; %s of %s used\n",
                listing.objects.size(),
                human_bytes(static_cast<double>(bytes)).c_str(),
                human_bytes(static_cast<double>(bytes_max)).c_str());
    return {};
}

// Whether the pinned object is a directory. Waits until it is there.
Result<bool> pin_one(const ContentOwner& owner, const std::string& hash, Progress& progress) {
    std::uint64_t told = 0;
    while (true) {
        DRACO_TRY(reply, owner.ask("PUT", "pins/" + hash));
        if (reply.status == 200) break;
        DRACO_TRY(here, number_member(reply.body, "blocks_here"));
        progress.advance((here - std::min(here, told)) * blake3_tree::kBlockBytes);
        told = here;
        std::this_thread::sleep_for(kContentLookEvery);
    }
    const auto children = owner.ask("GET", "objects/" + hash + "/entries?first=0");
    if (children) return true;
    if (children.error().code == Errc::InvalidArgument) return false;
    return std::unexpected(children.error());
}

}  // namespace

Result<> run_put(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(tree, read_local_tree(options.path));
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY(hash, upload(owner, tree, options.path, !options.no_pin));
    print_put(invocation, options.path, hash, tree, owner.front_urls());
    return {};
}

Result<> run_ls(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(owner, ContentOwner::of(invocation));
    return options.hash.empty() ? show_objects(invocation, owner)
                                : show_entries(invocation, owner, options.hash);
}

Result<> run_pin(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY_VOID(check_hash(options.hash));
    DRACO_TRY(owner, ContentOwner::of(invocation));
    const io::SystemClock clock;
    Walked walked;
    {
        Progress progress(clock, "pin", 0);
        DRACO_TRY_VOID(walk(owner, options.hash, walked, [&](const std::string& hash) {
            auto is_directory = pin_one(owner, hash, progress);
            if (is_directory && options.this_object_only) *is_directory = false;
            return is_directory;
        }));
    }
    if (invocation.json)
        print_value(invocation, json::object{{"hash", options.hash}, {"pinned", walked.objects}});
    else
        std::printf("pinned %llu object%s\n",
                    static_cast<unsigned long long>(walked.objects),
                    walked.objects == 1 ? "" : "s");
    return {};
}

// What other pinned directories lead to stays pinned.
Result<> run_unpin(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY_VOID(check_hash(options.hash));
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY(listing, list_all(owner));
    const auto find = [&](const std::string& hash) {
        return std::ranges::find(listing.objects, hash, &ListedObject::hash);
    };
    Walked below;
    DRACO_TRY_VOID(walk(owner, options.hash, below, [&](const std::string& hash) -> Result<bool> {
        const auto found = find(hash);
        return found != listing.objects.end() && found->kind == "directory" &&
               !options.this_object_only;
    }));
    std::set<std::string> kept;
    for (const ListedObject& each : listing.objects) {
        if (!each.pinned || each.kind != "directory" || below.seen.contains(each.hash)) continue;
        DRACO_TRY(children, children_of(owner, each.hash));
        kept.insert(children.begin(), children.end());
    }
    std::uint64_t unpinned = 0;
    for (const std::string& hash : below.seen) {
        const auto found = find(hash);
        const bool is_root = hash == options.hash;
        if (!is_root && (found == listing.objects.end() || !found->pinned || kept.contains(hash)))
            continue;
        DRACO_TRY_VOID(owner.ask("DELETE", "pins/" + hash));
        ++unpinned;
    }
    if (invocation.json)
        print_value(invocation, json::object{{"hash", options.hash}, {"unpinned", unpinned}});
    else
        std::printf("unpinned %llu object%s\n",
                    static_cast<unsigned long long>(unpinned),
                    unpinned == 1 ? "" : "s");
    return {};
}

Result<> run_acks(const Invocation& invocation) {
    DRACO_TRY(owner, ContentOwner::of(invocation));
    const RpcClient client = owner.rpc();
    json::array all;
    json::value after;
    do {
        DRACO_TRY(page, client.ask("admin_acks", {after}));
        const auto* object = page.if_object();
        const auto* acks = object == nullptr ? nullptr : object->if_contains("acks");
        const auto* next = object == nullptr ? nullptr : object->if_contains("next");
        if (acks == nullptr || !acks->is_array() || next == nullptr)
            return fail(Errc::Corrupt, owner.url() + " answers with no page of acknowledgements");
        for (const json::value& each : acks->get_array()) all.push_back(each);
        after = *next;
    } while (!after.is_null());
    DRACO_TRY(status, client.ask("flk_node_status"));
    const auto* delivery = status.as_object().if_contains("delivery");
    if (invocation.json || delivery == nullptr || !delivery->is_object()) {
        print_value(invocation,
                    json::object{{"unsettled", all},
                                 {"delivery", delivery == nullptr ? json::value() : *delivery}});
        return {};
    }
    std::vector<std::vector<std::string>> rows;
    rows.reserve(all.size());
    for (const json::value& each : all) {
        DRACO_TRY(payer, text_member(each, "payer"));
        DRACO_TRY(lane, number_member(each, "lane"));
        DRACO_TRY(acknowledged, number_member(each, "acknowledged"));
        const auto settled = number_member(each, "settled").value_or(0);
        rows.push_back({std::move(payer),
                        std::to_string(lane),
                        std::to_string(acknowledged),
                        std::to_string(settled)});
    }
    if (!rows.empty()) print_table({"payer", "lane", "acknowledged", "settled"}, rows);
    DRACO_TRY(taken, number_member(*delivery, "acknowledgements_taken"));
    DRACO_TRY(units, number_member(*delivery, "settled_units"));
    std::printf(
        "%zu lane%s to settle; since the start of the node %llu acknowledgements taken, "
        "%s settled\n",
        rows.size(),
        rows.size() == 1 ? "" : "s",
        static_cast<unsigned long long>(taken),
        human_bytes(static_cast<double>(units)).c_str());
    return {};
}

Result<> run_rm(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY_VOID(check_hash(options.hash));
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY_VOID(owner.ask("DELETE", "objects/" + options.hash));
    if (invocation.json)
        print_value(invocation, json::object{{"removed", options.hash}});
    else
        std::printf("removed %s\n", options.hash.c_str());
    return {};
}

}  // namespace draco
