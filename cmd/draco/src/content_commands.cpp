#include "content_commands.hpp"

#include "content_owner.hpp"
#include "content_roots.hpp"
#include "content_store.hpp"
#include "local_tree.hpp"
#include "progress.hpp"
#include "rpc_client.hpp"
#include "shown_text.hpp"
#include "upload.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdio>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

// "12 files, 3 folders, 1 of them empty, 2 links"; of a file nothing more than that.
std::string taken_text(const LocalTree& tree) {
    std::string text = counted(tree.files, "file");
    if (tree.folders > 0) text += ", " + counted(tree.folders, "folder");
    if (tree.empty_folders > 0)
        text += ", " + std::to_string(tree.empty_folders) + " of them empty";
    if (tree.links > 0) text += ", " + counted(tree.links, "link");
    return text;
}

json::object put_json(const std::string& hash, const LocalTree& tree, const json::array& urls) {
    json::array warnings;
    for (const std::string& each : tree.link_warnings) warnings.emplace_back(each);
    return {{"hash", hash},
            {"bytes", tree.bytes},
            {"files", tree.files},
            {"folders", tree.folders},
            {"empty_folders", tree.empty_folders},
            {"links", tree.links},
            {"link_warnings", warnings},
            {"urls", urls}};
}

void print_put(const Invocation& invocation,
               const std::string& path,
               const std::string& hash,
               const LocalTree& tree,
               const std::vector<std::string>& fronts) {
    json::array urls;
    for (const std::string& front : fronts)
        urls.emplace_back(content_url(front, hash, tree.root.kind == LocalEntry::Kind::Directory));
    if (invocation.json) return print_value(invocation, put_json(hash, tree, urls));
    for (const std::string& each : tree.link_warnings)
        std::fprintf(stderr, "note: %s\n", shown(each).c_str());
    std::printf("%s: %s, %s\n%s\n",
                shown(path).c_str(),
                taken_text(tree).c_str(),
                human_bytes(static_cast<double>(tree.bytes)).c_str(),
                hash.c_str());
    for (const json::value& url : urls) std::printf("  %s\n", url.get_string().c_str());
}

}  // namespace

Result<> run_put(const Invocation& invocation, const ContentOptions& options) {
    DRACO_TRY(tree, read_local_tree(options.path));
    DRACO_TRY(owner, ContentOwner::of(invocation));
    DRACO_TRY(hash, upload(owner, tree, options.path, !options.no_pin));
    // It is published, whatever becomes of its name.
    if (const auto named = add_root(owner.home(), hash, options.path); !named)
        print_error(invocation, named.error());
    print_put(invocation, options.path, hash, tree, owner.front_urls());
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
                        human_bytes(static_cast<double>(acknowledged)),
                        human_bytes(static_cast<double>(settled))});
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

}  // namespace draco
