#include "node_status.hpp"

#include "draco/base/checked.hpp"

#include "json_values.hpp"

#include <boost/json/array.hpp>

namespace draco::rpc {
namespace {

namespace json = boost::json;

void put_chain(json::object& to, const interfaces::StateView& view) {
    to["chain_id"] = view.chain().value();
    to["genesis"] = hex_text(view.genesis().view());
    to["height"] = view.head().height.value();
    to["block"] = hex_text(view.head().digest.view());
    to["timestamp_ms"] = view.head().timestamp.ms;
    to["state_root"] = hex_text(view.state_root().view());
    to["epoch"] = view.epoch().epoch.value();
    to["epoch_started_ms"] = view.epoch().started.ms;
}

void put_consensus(json::object& to, const interfaces::ConsensusStatus& status) {
    to["role"] = role_text(status.role);
    to["reason"] = status.reason;
    to["fork"] = status.fork;
    to["consensus"] =
        json::object{{"epoch", status.epoch.value()},
                     {"round", status.round.value()},
                     {"committed", status.committed.value()},
                     {"messages_refused", status.messages_refused},
                     {"transactions_waiting_bytes", status.transactions_waiting_bytes},
                     {"workers", status.workers},
                     {"workers_linked", status.workers_linked}};
}

json::object sync_json(const interfaces::SyncStatus& status) {
    return {{"known", status.known.value()},
            {"fetched", status.fetched.value()},
            {"fetching", status.fetching},
            {"blocks_fetched", status.blocks_fetched},
            {"liars", status.liars}};
}

json::array peers_json(const interfaces::Links& links) {
    json::array peers;
    for (const interfaces::LinkSnapshot& link : links.snapshot())
        peers.emplace_back(json::object{{"key", node_key_text(link.key)},
                                        {"up", link.up},
                                        {"guest", link.guest},
                                        {"messages_received", link.messages_received},
                                        {"messages_sent", link.messages_sent},
                                        {"bytes_received", link.bytes_received},
                                        {"bytes_sent", link.bytes_sent},
                                        {"refused", link.refused}});
    return peers;
}

json::value delivery_json(const interfaces::Acknowledgements* acknowledgements) {
    if (acknowledgements == nullptr) return nullptr;
    const interfaces::DeliveryStatus status = acknowledgements->status();
    return json::object{{"lanes", status.lanes},
                        {"acknowledgements_taken", status.taken},
                        {"acknowledgements_refused", status.refused},
                        {"settlements", status.settlements},
                        {"settled_units", status.settled_units},
                        {"unsettled_units", status.unsettled_units}};
}

json::value content_json(const ServiceDependencies& on) {
    if (on.blockstore == nullptr) return nullptr;
    const interfaces::StoreUsage usage = on.blockstore->usage();
    json::object made{{"bytes", usage.bytes},
                      {"bytes_max", usage.bytes_max},
                      {"objects", usage.objects},
                      {"pinned_objects", usage.pinned_objects},
                      {"evicted_objects", usage.evicted_objects},
                      {"damaged_objects", usage.damaged_objects}};
    if (on.providers != nullptr) {
        const interfaces::ProvidersStatus status = on.providers->status();
        made["provided"] = status.provided;
        made["kept_records"] = status.kept_records;
        made["lookups"] = status.lookups;
        made["not_found"] = status.not_found;
        made["refused_records"] = status.refused_records;
    }
    return made;
}

json::array occupations_json(const std::vector<affair::Occupation>& occupations) {
    json::array made;
    for (const affair::Occupation& occupation : occupations)
        made.emplace_back(json::object{
            {"kind",
             occupation.kind == affair::Occupation::Kind::Handling ? "handling" : "holding_reply"},
            {"message", occupation.message},
            {"where",
             std::string(occupation.where.file_name()) + ":" +
                 std::to_string(occupation.where.line())},
            {"elapsed_us",
             std::chrono::duration_cast<std::chrono::microseconds>(occupation.elapsed).count()}});
    return made;
}

json::array mailboxes_json(const affair::Registry& registry) {
    json::array mailboxes;
    for (const affair::ObjectSnapshot& object : registry.snapshot())
        mailboxes.emplace_back(json::object{{"name", object.name},
                                            {"state", affair::to_string(object.state)},
                                            {"capacity", object.capacity},
                                            {"queued", object.queued},
                                            {"queued_max", object.queued_max},
                                            {"accepted", object.accepted},
                                            {"rejected", object.rejected},
                                            {"handled", object.handled},
                                            {"lapsed", object.lapsed},
                                            {"discarded", object.discarded},
                                            {"expired", object.expired},
                                            {"late_replies", object.late_replies},
                                            {"abandoned", object.abandoned},
                                            {"failures", object.failures},
                                            {"restarts", object.restarts},
                                            {"occupations", occupations_json(object.occupations)}});
    return mailboxes;
}

// What keeps this node out of touch with those who order; empty if nothing does.
std::string isolation_of(const Context& context) {
    const auto view = context.on.ledger.view();
    const auto found = view->committee(view->epoch().epoch);
    if (!found || !*found) return {};
    const types::Committee& committee = **found;
    const bool is_member = committee.index_of(context.on.node_key).has_value();
    std::size_t reached = is_member ? 1 : 0;
    for (const types::NodeKey& key : context.on.links.connected())
        if (committee.index_of(key)) ++reached;
    const std::size_t needed = is_member ? committee.quorum() : 1;
    if (reached >= needed) return {};
    return "no progress: " + std::to_string(reached) + " of the committee's " +
           std::to_string(committee.size()) + " members are in reach" +
           (is_member ? ", this node included, and " : ", and ") + std::to_string(needed) +
           (is_member ? " must be" : " must be, to follow them");
}

// A member's blocks come from its workers; empty if all are there.
std::string lost_workers_of(const interfaces::ConsensusStatus& status) {
    if (status.role == interfaces::ConsensusRole::Follower ||
        status.workers_linked == status.workers)
        return {};
    return std::to_string(status.workers - status.workers_linked) + " of the node's " +
           std::to_string(status.workers) +
           " worker processes are not linked: start them with draco worker run, or look at their "
           "logs and at [consensus] workers in the node's config.toml";
}

// How long the running epoch should have ended, as the newest state here has it.
std::string overdue_of(const Context& context) {
    const auto view = context.on.ledger.view();
    const types::EpochInfo& epoch = view->epoch();
    const auto due_ms = checked_add(epoch.started.ms, view->parameters().epoch_ms);
    const std::uint64_t now_ms = context.on.executor.clock().unix_now().ms;
    if (!due_ms || now_ms <= *due_ms || now_ms - *due_ms <= context.limits.health_overdue_ms_max)
        return {};
    return "catching up, or no progress: here it is epoch " + std::to_string(epoch.epoch.value()) +
           ", which was to end " + std::to_string((now_ms - *due_ms) / 1000) +
           " s ago; if that does not change, check this machine's clock and the other members";
}

}  // namespace

json::object node_status(const Context& context) {
    const ServiceDependencies& on = context.on;
    json::object status{{"node_key", node_key_text(on.node_key)}, {"version", on.version}};
    put_chain(status, *on.ledger.view());
    put_consensus(status, on.consensus.status());
    status["sync"] = sync_json(on.follower.status());
    status["connected"] = on.links.connected().size();
    status["peers"] = peers_json(on.links);
    status["signer"] = signer_json(on.signer.status());
    status["delivery"] = delivery_json(on.acknowledgements);
    status["content"] = content_json(on);
    const Health health = health_of(context);
    status["healthy"] = health.ok;
    status["health_reason"] = health.reason;
    status["process"] = nullptr;
    if (on.process_usage) {
        const ProcessUsage usage = on.process_usage();
        status["process"] = json::object{
            {"rss_bytes", usage.rss_bytes}, {"cpu_ms", usage.cpu_ms}, {"open_fds", usage.open_fds}};
    }
    status["mailboxes"] = mailboxes_json(on.registry);
    return status;
}

Health health_of(const Context& context) {
    const interfaces::ConsensusStatus consensus = context.on.consensus.status();
    if (consensus.fork)
        return {.ok = false,
                .reason = "two final blocks of one height were seen; do not trust this chain"};
    if (std::string reason = lost_workers_of(consensus); !reason.empty())
        return {.ok = false, .reason = std::move(reason)};
    const std::uint64_t known = context.on.follower.status().known.value();
    const std::uint64_t executed = context.on.ledger.view()->head().height.value();
    if (known > executed && known - executed > context.limits.health_lag_blocks_max)
        return {.ok = false,
                .reason = "catching up: executed block " + std::to_string(executed) + " of " +
                          std::to_string(known)};
    if (std::string reason = isolation_of(context); !reason.empty())
        return {.ok = false, .reason = std::move(reason)};
    if (std::string reason = overdue_of(context); !reason.empty())
        return {.ok = false, .reason = std::move(reason)};
    return {};
}

json::object signer_json(const interfaces::SignerStatus& status) {
    return {{"executed", status.executed.value()},
            {"signed_last", status.signed_last.value()},
            {"pending", status.pending},
            {"sent_again", status.sent_again}};
}

std::string_view role_text(interfaces::ConsensusRole role) {
    switch (role) {
        case interfaces::ConsensusRole::Follower:
            return "follower";
        case interfaces::ConsensusRole::Member:
            return "member";
        case interfaces::ConsensusRole::Observer:
            return "observer";
    }
    return "unknown";
}

}  // namespace draco::rpc
