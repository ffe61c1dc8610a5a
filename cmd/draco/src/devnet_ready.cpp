#include "devnet_ready.hpp"

#include "child_process.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

constexpr auto kReadyTimeout = std::chrono::seconds(2);

std::unexpected<Error> not_yet(std::string why) {
    return fail(Errc::Unavailable, std::move(why));
}

const json::value& member(const json::value& value, std::string_view name) {
    static const json::value kNothing;
    const auto* object = value.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains(name);
    return found == nullptr ? kNothing : *found;
}

bool is_true(const json::value& value) {
    return value.is_bool() && value.get_bool();
}

bool is_text(const json::value& value, std::string_view text) {
    return value.is_string() && std::string_view(value.get_string()) == text;
}

bool contains(const json::value& list, std::string_view key) {
    const auto* array = list.if_array();
    return array != nullptr &&
           std::ranges::any_of(*array, [&](const json::value& each) { return is_text(each, key); });
}

bool is_linked(const json::value& peers, std::string_view key) {
    const auto* array = peers.if_array();
    return array != nullptr && std::ranges::any_of(*array, [&](const json::value& peer) {
               return is_text(member(peer, "key"), key) && is_true(member(peer, "up"));
           });
}

// Of one that is in the committee.
Result<> check_part(const json::value& status) {
    DRACO_TRY(epoch, number_member(status, "epoch"));
    DRACO_TRY(ordered, number_member(member(status, "consensus"), "epoch"));
    DRACO_TRY(role, text_member(status, "role"));
    if (ordered >= epoch && role != "follower") return {};
    return not_yet("it has not begun to order transactions of epoch " + std::to_string(epoch));
}

// A node that has heard of no block yet takes itself for current. One that does not answer is not
// compared with.
Result<> check_is_not_behind(const DevnetNodeRecord& other, std::uint64_t epoch) {
    const RpcClient client(HttpUrl{.host = "127.0.0.1", .port = other.rpc_port});
    const auto theirs = client.ask("flk_get_epoch", {}, kReadyTimeout);
    if (!theirs || !theirs->is_number()) return {};
    const auto ahead = theirs->to_number<std::uint64_t>();
    if (ahead <= epoch) return {};
    return not_yet("it is in epoch " + std::to_string(epoch) + ", and node " +
                   std::to_string(other.index) + " in epoch " + std::to_string(ahead));
}

}  // namespace

Result<> check_ready(const RpcClient& client, const DevnetRecord& devnet) {
    auto answer = client.ask("flk_node_status", {}, kReadyTimeout);
    if (!answer) return not_yet("it does not answer yet; " + answer.error().context);
    const json::value status = *std::move(answer);
    DRACO_TRY(committee, client.ask("flk_get_committee_members", {}, kReadyTimeout));
    DRACO_TRY(own, text_member(status, "node_key"));
    if (!is_true(member(status, "healthy"))) {
        DRACO_TRY(reason, text_member(status, "health_reason"));
        return not_yet(std::move(reason));
    }
    if (contains(committee, own)) DRACO_TRY_VOID(check_part(status));
    DRACO_TRY(epoch, number_member(status, "epoch"));
    for (const DevnetNodeRecord& node : devnet.nodes) {
        if (node.key == own || !is_running(node.process)) continue;
        DRACO_TRY_VOID(check_is_not_behind(node, epoch));
        if (!contains(committee, node.key)) continue;
        if (!is_linked(member(status, "peers"), node.key))
            return not_yet("it has no link to node " + std::to_string(node.index) + " yet");
    }
    return {};
}

}  // namespace draco
