#include "lane_commands.hpp"

#include "draco/base/text_encoding.hpp"

#include "rpc_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace draco {
namespace {

namespace json = boost::json;

// Of the account, all pages together.
Result<json::array> all_lanes(const RpcClient& client, const std::string& payer) {
    json::array lanes;
    json::value after;
    do {
        DRACO_TRY(page, client.ask("flk_lanes_of", {payer, after}));
        const auto* object = page.if_object();
        const auto* part = object == nullptr ? nullptr : object->if_contains("lanes");
        const auto* next = object == nullptr ? nullptr : object->if_contains("next");
        if (part == nullptr || !part->is_array() || next == nullptr)
            return fail(Errc::Corrupt, "the node's answer is no page of lanes");
        for (const json::value& lane : part->get_array()) lanes.push_back(lane);
        after = *next;
    } while (!after.is_null());
    return lanes;
}

}  // namespace

Result<types::SessionKey> parse_session_key(std::string_view text) {
    types::SessionKey key;
    const auto hex = fixed_from_hex<types::SessionKey>(text.substr(text.starts_with("0x") ? 2 : 0));
    if (hex) {
        key = *hex;
    } else {
        const auto bytes = from_base58(text, types::SessionKey::kSize);
        if (!bytes || bytes->size() != types::SessionKey::kSize)
            return fail(Errc::InvalidArgument,
                        "\"" + std::string(text) +
                            "\" is no session key: 64 hex digits, or base58 of 32 bytes");
        std::ranges::copy(*bytes, key.bytes.begin());
    }
    if (const auto sound = crypto::check_public_key(key); !sound)
        return fail(Errc::InvalidArgument,
                    "\"" + std::string(text) + "\" is no session key: " + sound.error().context);
    return key;
}

Result<> run_prices(const Invocation& invocation) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(prices, client.ask("flk_commodity_prices"));
    DRACO_TRY(services, client.ask("flk_services"));
    print_value(invocation, json::object{{"prices", prices}, {"services", services}});
    return {};
}

Result<> run_lane_open(const Invocation& invocation, const LaneOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, parse_node_key(options.node));
    DRACO_TRY(session_key, parse_session_key(options.session_key));
    DRACO_TRY(reserve, types::parse_usd(options.amount));
    return send_as_account(invocation,
                           home,
                           options.sender,
                           types::OpenLane{.node = node,
                                           .lane = types::LaneIndex(options.lane),
                                           .service = types::ServiceId(options.service),
                                           .session_key = session_key,
                                           .reserve = reserve});
}

Result<> run_lane_topup(const Invocation& invocation, const LaneOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, parse_node_key(options.node));
    DRACO_TRY(amount, types::parse_usd(options.amount));
    return send_as_account(
        invocation,
        home,
        options.sender,
        types::TopUpLane{.node = node, .lane = types::LaneIndex(options.lane), .amount = amount});
}

Result<> run_lane_close(const Invocation& invocation, const LaneOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, parse_node_key(options.node));
    return send_as_account(invocation,
                           home,
                           options.sender,
                           types::CloseLane{.node = node, .lane = types::LaneIndex(options.lane)});
}

Result<> run_lane_show(const Invocation& invocation, const LaneOptions& options) {
    std::string payer = options.payer;
    if (payer.empty()) {
        DRACO_TRY(home, sender_home(invocation));
        DRACO_TRY(own, sender_address(home, options.sender));
        payer = own;
    }
    DRACO_TRY(client, RpcClient::of(invocation));
    if (options.node.empty()) {
        DRACO_TRY(lanes, all_lanes(client, payer));
        print_value(invocation, lanes);
        return {};
    }
    DRACO_TRY(lane, client.ask("flk_lane", {payer, options.node, options.lane}));
    if (lane.is_null())
        return fail(Errc::NotFound,
                    payer + " has no open lane " + std::to_string(options.lane) + " to node " +
                        options.node + "; draco lane show lists those that there are");
    print_value(invocation, lane);
    return {};
}

}  // namespace draco
