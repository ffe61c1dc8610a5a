#include "content_store.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/client/client.hpp"

#include "content_address.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"

#include <boost/json/object.hpp>

#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

Result<> add_page(const json::value& body, Listing& listing) {
    for (const json::value& each : body.at("objects").get_array()) {
        DRACO_TRY(hash, text_member(each, "hash"));
        DRACO_TRY(kind, text_member(each, "kind"));
        DRACO_TRY(size, number_member(each, kind == "file" ? "bytes" : "entries"));
        const auto* pinned = each.as_object().if_contains("pinned");
        listing.objects[hash] = {
            .hash = hash,
            .kind = std::move(kind),
            .size = size,
            .pinned = pinned != nullptr && pinned->is_bool() && pinned->get_bool()};
    }
    return {};
}

Result<std::vector<types::DirectoryEntry>> decoded_entries(const ContentOwner& owner,
                                                           const types::ContentHash& directory) {
    DRACO_TRY(listed, entries_of(owner, to_hex(directory.view())));
    std::vector<types::DirectoryEntry> entries;
    entries.reserve(listed.size());
    for (const json::value& each : listed) {
        types::DirectoryEntry made;
        DRACO_TRY(name_text, text_member(each, "name"));
        DRACO_TRY(name, decltype(made.name)::make(std::move(name_text)));
        made.name = std::move(name);
        if (each.as_object().contains("link")) {
            DRACO_TRY(target_text, text_member(each, "link"));
            DRACO_TRY(target, types::LinkTarget::make(std::move(target_text)));
            made.target = std::move(target);
        } else {
            DRACO_TRY(hash_text, text_member(each, "hash"));
            DRACO_TRY(hash, fixed_from_hex<types::ContentHash>(hash_text));
            made.target = hash;
        }
        entries.push_back(std::move(made));
    }
    return entries;
}

}  // namespace

const ListedObject* Listing::find(const std::string& hash) const {
    const auto found = objects.find(hash);
    return found == objects.end() ? nullptr : &found->second;
}

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
        DRACO_TRY_VOID(add_page(page.body, listing));
        listing.usage = *usage;
        if (!next->is_string()) return listing;
        query = "?after=" + std::string(next->get_string());
    }
}

std::string counted(std::uint64_t count, const std::string& one) {
    if (count == 1) return "1 " + one;
    const bool ends_in_y = one.ends_with('y');
    return std::to_string(count) + " " +
           (ends_in_y ? one.substr(0, one.size() - 1) + "ies" : one + "s");
}

std::string size_text(const ListedObject& object) {
    return object.kind == "file" ? human_bytes(static_cast<double>(object.size))
                                 : counted(object.size, "entry");
}

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
        walked.order.push_back(hash);
        if (!go_in) continue;
        DRACO_TRY(children, children_of(owner, hash));
        for (std::string& child : children) open.push_back(std::move(child));
    }
    return {};
}

Result<> walk_stored(const ContentOwner& owner,
                     const Listing& listing,
                     const std::string& root,
                     Walked& walked) {
    return walk(owner, root, walked, [&](const std::string& hash) -> Result<bool> {
        const ListedObject* const object = listing.find(hash);
        return object != nullptr && object->kind == "directory";
    });
}

Result<std::string> resolve_content(const ContentOwner& owner, const std::string& text) {
    DRACO_TRY(address, parse_content_address(text));
    DRACO_TRY(
        hash,
        client::resolve_path(address.root, address.path, [&](const types::ContentHash& directory) {
            return decoded_entries(owner, directory);
        }));
    return to_hex(hash.view());
}

}  // namespace draco
