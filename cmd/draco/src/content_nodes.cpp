#include "content_nodes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <limits>

namespace draco {
namespace {

namespace json = boost::json;

Result<ContentNode> read_node(const json::value& node) {
    DRACO_TRY(key, text_member(node, "key"));
    const auto* endpoints = node.as_object().if_contains("endpoints");
    if (endpoints == nullptr) return fail(Errc::Corrupt, "a node has no endpoints");
    DRACO_TRY(host, text_member(*endpoints, "host"));
    DRACO_TRY(port, number_member(*endpoints, "session_port"));
    if (port == 0 || port > std::numeric_limits<std::uint16_t>::max())
        return fail(Errc::NotFound, "node " + key + " takes no sessions");
    const std::uint64_t http_port = number_member(*endpoints, "http_port").value_or(0);
    return ContentNode{.key = std::move(key),
                       .host = std::move(host),
                       .session_port = static_cast<std::uint16_t>(port),
                       .http_port = static_cast<std::uint16_t>(http_port)};
}

}  // namespace

Result<std::vector<ContentNode>> content_nodes(const RpcClient& client) {
    std::vector<ContentNode> nodes;
    json::value after;
    do {
        DRACO_TRY(page, client.ask("flk_get_node_registry", {after}));
        const auto* object = page.if_object();
        const auto* listed = object == nullptr ? nullptr : object->if_contains("nodes");
        const auto* next = object == nullptr ? nullptr : object->if_contains("next");
        if (listed == nullptr || !listed->is_array() || next == nullptr)
            return fail(Errc::Corrupt, client.url() + " answers with no page of nodes");
        for (const json::value& each : listed->get_array()) {
            DRACO_TRY(participation, text_member(each, "participation"));
            if (participation != "active" && participation != "opted_out") continue;
            if (auto node = read_node(each)) nodes.push_back(*std::move(node));
        }
        after = *next;
    } while (!after.is_null());
    if (nodes.empty())
        return fail(Errc::NotFound, "the chain of " + client.url() + " has no node that delivers");
    DRACO_TRY(status, client.ask("flk_node_status"));
    DRACO_TRY(self, text_member(status, "node_key"));
    const auto own = std::ranges::find(nodes, self, &ContentNode::key);
    if (own != nodes.end()) std::rotate(nodes.begin(), own, own + 1);
    return nodes;
}

}  // namespace draco
