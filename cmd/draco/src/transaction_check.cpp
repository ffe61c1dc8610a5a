#include "transaction_check.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace draco {
namespace {

namespace json = boost::json;

std::unexpected<Error> useless(std::string why) {
    return fail(Errc::InvalidArgument, std::move(why) + ". Nothing was signed");
}

const json::value* member(const json::value& value, std::string_view name) {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

bool is_set(const json::value& value, std::string_view name) {
    const auto* found = member(value, name);
    return found != nullptr && !found->is_null();
}

Result<types::FlkAmount> flk_member(const json::value& value, std::string_view name) {
    DRACO_TRY(text, text_member(value, name));
    return types::parse_flk(text);
}

class EffectCheck {
public:
    EffectCheck(const RpcClient& client, const types::Address& sender, types::FlkAmount fee)
        : client_(client), sender_(crypto::to_text(sender)), fee_(fee) {}

    Result<> operator()(const types::TransferFlk& method) const {
        DRACO_TRY_VOID(check_positive(method.amount.is_zero(), "transfer"));
        return check_flk(method.amount);
    }

    Result<> operator()(const types::TransferUsd& method) const {
        DRACO_TRY_VOID(check_positive(method.amount.is_zero(), "transfer"));
        return check_usd(method.amount);
    }

    Result<> operator()(const types::Stake& method) const {
        DRACO_TRY_VOID(check_positive(method.amount.is_zero(), "stake"));
        DRACO_TRY(node, node_of(method.node));
        if (!node.is_null()) DRACO_TRY_VOID(check_owner(node));
        return check_flk(method.amount);
    }

    Result<> operator()(const types::Unstake& method) const {
        DRACO_TRY_VOID(check_positive(method.amount.is_zero(), "release of stake"));
        DRACO_TRY(node, owned_node(method.node));
        DRACO_TRY(stake, flk_member(node, "stake"));
        if (method.amount <= stake) return {};
        return useless("node " + to_base58(method.node.view()) + " has a stake of " +
                       to_text(stake) + " FLK, less than the " + to_text(method.amount) +
                       " that are to leave it: give at most that");
    }

    Result<> operator()(const types::WithdrawUnstaked& method) const {
        DRACO_TRY(node, owned_node(method.node));
        if (!is_set(node, "unbonding"))
            return useless("no stake of node " + to_base58(method.node.view()) +
                           " is on its way out: draco stake remove AMOUNT begins to release it");
        DRACO_TRY(release, number_member(node.at("unbonding"), "release_epoch"));
        DRACO_TRY(info, client_.ask("flk_get_epoch_info"));
        DRACO_TRY(epoch, number_member(info, "epoch"));
        if (epoch >= release) return {};
        return useless("the stake is free from epoch " + std::to_string(release) +
                       " on, and this is epoch " + std::to_string(epoch) +
                       ": repeat it then (draco epoch)");
    }

    Result<> operator()(const types::OpenLane& method) const {
        DRACO_TRY_VOID(check_positive(method.reserve.is_zero(), "reserve"));
        DRACO_TRY(node, node_of(method.node));
        if (node.is_null()) return unknown_node(method.node);
        DRACO_TRY_VOID(check_service(method.service));
        DRACO_TRY(lane, lane_of(method.node, method.lane));
        if (!lane.is_null())
            return useless("lane " + std::to_string(method.lane.value()) +
                           " to this node is open: add to it with draco lane topup, or choose "
                           "another with --lane N");
        return check_usd(method.reserve);
    }

    Result<> operator()(const types::TopUpLane& method) const {
        DRACO_TRY_VOID(check_positive(method.amount.is_zero(), "amount"));
        DRACO_TRY_VOID(check_lane(method.node, method.lane));
        return check_usd(method.amount);
    }

    Result<> operator()(const types::CloseLane& method) const {
        return check_lane(method.node, method.lane);
    }

    // A node's methods are not sent from here.
    template <class NodeMethod>
    Result<> operator()(const NodeMethod& /*method*/) const {
        return {};
    }

private:
    static Result<> check_positive(bool is_zero, const std::string& what) {
        if (!is_zero) return {};
        return useless("a " + what + " of 0 does nothing and costs its fee: give an amount");
    }

    Result<> check_flk(types::FlkAmount amount) const {
        DRACO_TRY(account, client_.ask("flk_get_account_info", {sender_}));
        DRACO_TRY(flk, flk_member(account, "flk"));
        const auto needed = amount.plus(fee_);
        if (needed && *needed <= flk) return {};
        const auto most = flk.minus(fee_);
        return useless(sender_ + " has " + to_text(flk) + " FLK, too little for " +
                       to_text(amount) + " FLK and the fee of " + to_text(fee_) +
                       " FLK: give at most " + to_text(most.value_or(types::FlkAmount{})) +
                       ", or fund the account");
    }

    Result<> check_usd(types::UsdAmount amount) const {
        DRACO_TRY(account, client_.ask("flk_get_account_info", {sender_}));
        DRACO_TRY(text, text_member(account, "usd"));
        DRACO_TRY(usd, types::parse_usd(text));
        if (amount <= usd) return {};
        return useless(sender_ + " has " + to_text(usd) + " USD, less than " + to_text(amount) +
                       ": give at most that, or fund the account");
    }

    Result<json::value> node_of(const types::NodeKey& key) const {
        return client_.ask("flk_get_node_info", {to_base58(key.view())});
    }

    static std::unexpected<Error> unknown_node(const types::NodeKey& key) {
        return useless("the chain does not know node " + to_base58(key.view()) +
                       ", because nobody has staked for it: check the key (draco committee, draco "
                       "stake status --stake-node KEY)");
    }

    Result<> check_owner(const json::value& node) const {
        DRACO_TRY(owner, text_member(node, "owner"));
        if (owner == sender_) return {};
        DRACO_TRY(key, text_member(node, "key"));
        return useless("node " + key + " belongs to " + owner +
                       ", and only its owner moves its "
                       "stake; this would be signed by " +
                       sender_ + ": choose the owner's key with --account or --dev-account");
    }

    Result<json::value> owned_node(const types::NodeKey& key) const {
        DRACO_TRY(node, node_of(key));
        if (node.is_null()) return unknown_node(key);
        DRACO_TRY_VOID(check_owner(node));
        return node;
    }

    Result<> check_service(types::ServiceId service) const {
        DRACO_TRY(services, client_.ask("flk_services"));
        const auto* list = services.if_array();
        if (list == nullptr) return fail(Errc::Corrupt, "the node's answer is no list of services");
        for (const json::value& each : *list) {
            DRACO_TRY(id, number_member(each, "id"));
            if (id == service.value()) return {};
        }
        return useless("there is no service " + std::to_string(service.value()) +
                       ": draco prices lists them");
    }

    Result<json::value> lane_of(const types::NodeKey& node, types::LaneIndex lane) const {
        return client_.ask("flk_lane", {sender_, to_base58(node.view()), lane.value()});
    }

    Result<> check_lane(const types::NodeKey& node, types::LaneIndex index) const {
        DRACO_TRY(lane, lane_of(node, index));
        if (lane.is_null())
            return useless(sender_ + " has no open lane " + std::to_string(index.value()) +
                           " to node " + to_base58(node.view()) +
                           ": draco lane show lists those that there are");
        if (!is_set(lane, "closes_ms")) return {};
        return useless("lane " + std::to_string(index.value()) +
                       " is being closed already: when the challenge time is over, the rest comes "
                       "back");
    }

    const RpcClient& client_;
    std::string sender_;
    types::FlkAmount fee_;
};

}  // namespace

Result<> check_effect(const RpcClient& client,
                      const types::Address& sender,
                      types::FlkAmount fee,
                      const types::Method& method) {
    return std::visit(EffectCheck(client, sender, fee), method);
}

}  // namespace draco
