#include "lane_commands.hpp"

#include "draco/base/text_encoding.hpp"

#include "paid_lane.hpp"
#include "rpc_client.hpp"
#include "shown_text.hpp"
#include "transaction_sender.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

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

// What this home has received and the chain does not know yet, into the lane.
bool add_unsettled(const Result<NodeHome>& home,
                   const types::GenesisDigest& genesis,
                   json::value& lane) {
    if (!home) return false;
    const auto received = received_here(*home, genesis, lane);
    const auto settled = number_member(lane, "settled");
    if (!received || !settled) return false;
    lane.as_object()["acknowledged"] = *received;
    lane.as_object()["unsettled"] = *received - std::min(*received, *settled);
    return *received > *settled;
}

void print_lanes(const Invocation& invocation, const json::value& lanes, bool is_settling) {
    print_value(invocation, lanes);
    if (is_settling && !invocation.json)
        std::puts("what is acknowledged and not settled is settled within the epoch");
}

Result<std::string> service_line(const json::value& service) {
    DRACO_TRY(name, text_member(service, "name"));
    DRACO_TRY(id, number_member(service, "id"));
    DRACO_TRY(commodity, text_member(service, "commodity"));
    DRACO_TRY(builder, text_member(service, "builder"));
    return "service " + std::to_string(id) + ", " + name + ": sells " + commodity + ", built by " +
           builder;
}

// "bandwidth: 0.02 USD per GiB", where the price is of so many bytes.
Result<std::string> price_line(const json::value& price) {
    DRACO_TRY(commodity, text_member(price, "commodity"));
    DRACO_TRY(usd, text_member(price, "usd"));
    DRACO_TRY(units, number_member(price, "units"));
    std::string per = std::to_string(units) + " bytes";
    for (const auto& [name, shift] : {std::pair("TiB", 40U),
                                      std::pair("GiB", 30U),
                                      std::pair("MiB", 20U),
                                      std::pair("KiB", 10U)}) {
        const std::uint64_t unit = std::uint64_t{1} << shift;
        if (units < unit || units % unit != 0) continue;
        per = (units == unit ? "" : std::to_string(units / unit) + " ") + name;
        break;
    }
    return commodity + ": " + usd + " USD per " + per;
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
    if (invocation.json || !prices.is_array() || !services.is_array()) {
        print_value(invocation, json::object{{"prices", prices}, {"services", services}});
        return {};
    }
    for (const json::value& each : prices.get_array()) {
        DRACO_TRY(line, price_line(each));
        std::puts(shown(line).c_str());
    }
    for (const json::value& each : services.get_array()) {
        DRACO_TRY(line, service_line(each));
        std::puts(shown(line).c_str());
    }
    return {};
}

Result<> run_lane_open(const Invocation& invocation, const LaneOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, parse_node_key(options.node));
    DRACO_TRY(reserve, types::parse_usd(options.amount));
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(account, sender_key(home, options.sender));
    types::SessionKey session_key;
    if (options.session_key.empty()) {
        DRACO_TRY(chain, chain_of(client));
        DRACO_TRY(derived, session_key_of(chain.genesis, account));
        session_key = derived.public_key();
    } else {
        DRACO_TRY(given, parse_session_key(options.session_key));
        session_key = given;
    }
    DRACO_TRY(
        answer,
        send_transaction(home,
                         client,
                         std::move(account),
                         types::OpenLane{.node = node,
                                         .lane = types::LaneIndex(options.lane),
                                         .service = types::ServiceId(options.service),
                                         .session_key = session_key,
                                         .reserve = reserve},
                         {.fee_max = options.sender.fee_max, .wait = !options.sender.no_wait}));
    print_value(invocation, answer);
    return {};
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
        DRACO_TRY(own_home, sender_home(invocation));
        DRACO_TRY(own, sender_address(own_home, options.sender));
        payer = own;
    }
    DRACO_TRY(path, home_path(invocation));
    const auto home = NodeHome::open(path);
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(chain, chain_of(client));
    if (options.node.empty()) {
        DRACO_TRY(lanes, all_lanes(client, payer));
        bool is_settling = false;
        for (json::value& lane : lanes) is_settling |= add_unsettled(home, chain.genesis, lane);
        if (lanes.empty() && !invocation.json) {
            std::printf(
                "%s has no open lane; draco get HASH --pay opens one, as does draco lane "
                "open\n",
                shown(payer).c_str());
            return {};
        }
        print_lanes(invocation, lanes, is_settling);
        return {};
    }
    DRACO_TRY(lane, client.ask("flk_lane", {payer, options.node, options.lane}));
    if (lane.is_null())
        return fail(Errc::NotFound,
                    payer + " has no open lane " + std::to_string(options.lane) + " to node " +
                        options.node + "; draco lane show lists those that there are");
    const bool is_settling = add_unsettled(home, chain.genesis, lane);
    print_lanes(invocation, lane, is_settling);
    return {};
}

}  // namespace draco
