// flk_*: epochs, blocks and the state as a whole.

#include "json_values.hpp"
#include "method.hpp"

#include <array>
#include <limits>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();

constexpr std::array kEpochIfGiven = {
    ParameterSpec{"epoch", ParameterType::Number, false, "the running one if not given"}};
constexpr std::array kParameterName = {
    ParameterSpec{"name", ParameterType::Text, false, "all of them if not given"}};
constexpr std::array kBlock = {
    ParameterSpec{"block", ParameterType::BlockId, false, "\"latest\" if not given"}};

Outcome<json::value> committee_members(const Context& context, const Parameters& parameters) {
    const auto view = context.on.ledger.view();
    types::Epoch epoch = view->epoch().epoch;
    if (parameters.has(0)) {
        DRACO_TRY(given, parameters.number(0, kAnyNumber));
        epoch = types::Epoch(given);
    }
    DRACO_TRY(committee, view->committee(epoch));
    if (!committee)
        return std::unexpected(
            RpcError(Code::NotFound,
                     "epoch " + std::to_string(epoch.value()) + " has not begun; epoch " +
                         std::to_string(view->epoch().epoch.value()) + " is running"));
    return json::value(keys_json(committee->members()));
}

Outcome<json::value> epoch(const Context& context, const Parameters& /*parameters*/) {
    return json::value(context.on.ledger.view()->epoch().epoch.value());
}

Outcome<json::value> epoch_info(const Context& context, const Parameters& /*parameters*/) {
    const auto view = context.on.ledger.view();
    const types::EpochInfo& info = view->epoch();
    const std::size_t size = info.committee->size();
    const std::size_t faulty_max = size == 0 ? 0 : (size - 1) / 3;
    json::array signals;
    info.end_signals.for_each([&](types::AuthorityIndex member) {
        if (member.value() < size)
            signals.emplace_back(node_key_text((*info.committee)[member.value()]));
    });
    return json::value(json::object{
        {"epoch", info.epoch.value()},
        {"started_ms", info.started.ms},
        {"ends_after_ms",
         checked_add(info.started.ms, view->parameters().epoch_ms).value_or(kAnyNumber)},
        {"committee", keys_json(*info.committee)},
        {"quorum", size - faulty_max},
        {"end_signals", std::move(signals)}});
}

Outcome<json::value> total_supply(const Context& context, const Parameters& /*parameters*/) {
    return json::value(types::to_text(context.on.ledger.view()->supply().flk));
}

Outcome<json::value> supply(const Context& context, const Parameters& /*parameters*/) {
    return json::value(supply_json(context.on.ledger.view()->supply()));
}

Outcome<json::value> protocol_params(const Context& context, const Parameters& parameters) {
    json::object all = parameters_json(context.on.ledger.view()->parameters());
    if (!parameters.has(0)) return json::value(std::move(all));
    DRACO_TRY(name, parameters.text(0));
    if (const auto* const value = all.if_contains(name)) return *value;
    std::string names;
    for (const auto& member : all) {
        if (!names.empty()) names += ", ";
        names += member.key();
    }
    return bad_parameter("name", "one of " + names, "\"" + shown(name) + "\"");
}

Outcome<json::value> genesis(const Context& context, const Parameters& /*parameters*/) {
    const auto view = context.on.ledger.view();
    return json::value(json::object{{"chain_id", view->chain().value()},
                                    {"digest", hex_text(view->genesis().view())}});
}

Outcome<json::value> state_root(const Context& context, const Parameters& /*parameters*/) {
    return json::value(hex_text(context.on.ledger.view()->state_root().view()));
}

json::object block_json(types::ChainId chain, const interfaces::ArchivedBlock& archived) {
    const types::Block& block = archived.block;
    std::uint64_t transactions = 0;
    for (const types::Batch& batch : *archived.batches) transactions += batch.transactions.size();
    return {{"height", block.height.value()},
            {"digest", hex_text(types::digest_of(chain, block).view())},
            {"parent", hex_text(block.parent.view())},
            {"epoch", block.epoch.value()},
            {"timestamp_ms", block.timestamp.ms},
            {"anchor_round", block.anchor_round.value()},
            {"batches", block.batches->size()},
            {"transactions", transactions},
            {"certified", archived.certificate.has_value()}};
}

Outcome<json::value> block(const Context& context, const Parameters& parameters) {
    const auto view = context.on.ledger.view();
    types::Height height = view->head().height;
    if (parameters.has(0)) {
        DRACO_TRY(given, parameters.block_id(0));
        if (given) height = types::Height(*given);
    }
    DRACO_TRY(bytes, context.on.ledger.read(height));
    if (!bytes)
        return std::unexpected(RpcError(Code::NotFound,
                                        "there is no block " + std::to_string(height.value()) +
                                            " here; this node has " +
                                            std::to_string(context.on.ledger.lowest().value()) +
                                            " to " + std::to_string(view->head().height.value())));
    const auto archived = bcs::decode<interfaces::ArchivedBlock>(*bytes);
    if (!archived)
        return std::unexpected(RpcError(
            Code::Internal, "block " + std::to_string(height.value()) + " does not decode"));
    return json::value(block_json(view->chain(), *archived));
}

constexpr std::array kChainMethods = {
    Method{.name = "flk_get_committee_members",
           .parameters = kEpochIfGiven,
           .result = "list of node keys",
           .doc = "The committee of an epoch, in the order of keys.",
           .read = committee_members},
    Method{.name = "flk_get_epoch",
           .parameters = {},
           .result = "number",
           .doc = "The running epoch.",
           .read = epoch},
    Method{.name = "flk_get_epoch_info",
           .parameters = {},
           .result = "object",
           .doc = "The running epoch, its committee and who wants it to end.",
           .read = epoch_info},
    Method{.name = "flk_get_total_supply",
           .parameters = {},
           .result = "amount",
           .doc = "All FLK there is.",
           .read = total_supply},
    Method{.name = "flk_get_supply",
           .parameters = {},
           .result = "object",
           .doc = "All money there is, and what was burned.",
           .read = supply},
    Method{.name = "flk_get_protocol_params",
           .parameters = kParameterName,
           .result = "object, or one value",
           .doc = "What governance may change.",
           .read = protocol_params},
    Method{.name = "flk_get_genesis",
           .parameters = {},
           .result = "object",
           .doc = "The chain's id and the digest of its genesis.",
           .read = genesis},
    Method{.name = "flk_get_block",
           .parameters = kBlock,
           .result = "block",
           .doc = "One executed block, without its transactions.",
           .read = block},
    Method{.name = "flk_get_state_root",
           .parameters = {},
           .result = "hash",
           .doc = "The root of the newest state.",
           .read = state_root}};

}  // namespace

std::span<const Method> chain_methods() {
    return kChainMethods;
}

}  // namespace draco::rpc
