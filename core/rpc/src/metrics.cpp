#include "metrics.hpp"

#include "exposition.hpp"
#include "json_values.hpp"
#include "node_status.hpp"
#include "transaction_waiters.hpp"

namespace draco::rpc {
namespace {

using Type = Exposition::Type;

void put_chain(Exposition& to, const Context& context) {
    const auto view = context.on.ledger.view();
    to.family("draco_info", Type::Gauge, "The program and the node; always 1.")
        .sample(1,
                {{"version", context.on.version},
                 {"node", node_key_text(context.on.node_key)},
                 {"chain", std::to_string(view->chain().value())}});
    to.family("draco_height", Type::Gauge, "The last executed block.")
        .sample(view->head().height.value());
    to.family("draco_head_timestamp_seconds", Type::Gauge, "The time of the last executed block.")
        .sample_milli(view->head().timestamp.ms);
    to.family("draco_epoch", Type::Gauge, "The running epoch.").sample(view->epoch().epoch.value());
    to.family("draco_healthy", Type::Gauge, "1 if /health says OK.")
        .sample(health_of(context).ok ? 1 : 0);
}

void put_consensus(Exposition& to, const interfaces::ConsensusStatus& status) {
    to.family("draco_consensus_role", Type::Gauge, "1 for the node's role in this epoch.");
    for (const auto role : {interfaces::ConsensusRole::Follower,
                            interfaces::ConsensusRole::Member,
                            interfaces::ConsensusRole::Observer})
        to.sample(role == status.role ? 1 : 0, {{"role", role_text(role)}});
    to.family("draco_consensus_round", Type::Gauge, "The highest round with a quorum here.")
        .sample(status.round.value());
    to.family("draco_consensus_committed_height",
              Type::Gauge,
              "The last block that the own consensus core handed over.")
        .sample(status.committed.value());
    to.family("draco_consensus_messages_refused_total",
              Type::Counter,
              "Messages of the committee that broke a rule.")
        .sample(status.messages_refused);
    to.family("draco_consensus_transactions_waiting_bytes",
              Type::Gauge,
              "Transactions that wait for a batch.")
        .sample(status.transactions_waiting_bytes);
    to.family("draco_workers", Type::Gauge, "Worker processes that the node is configured with.")
        .sample(status.workers);
    to.family("draco_workers_linked", Type::Gauge, "Of them, linked.")
        .sample(status.workers_linked);
    to.family("draco_fork", Type::Gauge, "1 if two final blocks of one height were seen.")
        .sample(status.fork ? 1 : 0);
}

void put_sync(Exposition& to, const interfaces::SyncStatus& status) {
    to.family("draco_sync_known_height", Type::Gauge, "The highest block known to be certified.")
        .sample(status.known.value());
    to.family("draco_sync_fetching", Type::Gauge, "1 while blocks are fetched from peers.")
        .sample(status.fetching ? 1 : 0);
    to.family("draco_sync_blocks_fetched_total", Type::Counter, "Blocks fetched from peers.")
        .sample(status.blocks_fetched);
    to.family("draco_sync_liars_total",
              Type::Counter,
              "Answers of peers that did not match their certificate.")
        .sample(status.liars);
}

void put_signer(Exposition& to, const interfaces::SignerStatus& status) {
    to.family("draco_signer_pending", Type::Gauge, "Own transactions signed and not executed.")
        .sample(status.pending);
    to.family("draco_signer_sent_again_total",
              Type::Counter,
              "Submissions of own transactions beyond the first.")
        .sample(status.sent_again);
}

void put_delivery(Exposition& to, const interfaces::DeliveryStatus& status) {
    to.family("draco_acknowledgements_taken_total", Type::Counter, "Of clients, durable here.")
        .sample(status.taken);
    to.family("draco_acknowledgements_refused_total", Type::Counter, "Of clients.")
        .sample(status.refused);
    to.family("draco_settlements_total", Type::Counter, "Executed by the chain.")
        .sample(status.settlements);
    to.family("draco_settled_units_total", Type::Counter, "Delivered, and counted by the chain.")
        .sample(status.settled_units);
    to.family("draco_unsettled_units", Type::Gauge, "Acknowledged, and not counted yet.")
        .sample(status.unsettled_units);
}

void put_content(Exposition& to, const interfaces::StoreUsage& usage) {
    to.family("draco_content_bytes", Type::Gauge, "Content on this disk.").sample(usage.bytes);
    to.family("draco_content_max_bytes", Type::Gauge, "Its bound.").sample(usage.bytes_max);
    to.family("draco_content_objects", Type::Gauge, "Files and directories.").sample(usage.objects);
    to.family("draco_content_pinned_objects", Type::Gauge, "Of them, pinned.")
        .sample(usage.pinned_objects);
    to.family("draco_content_evicted_total", Type::Counter, "Objects that made room.")
        .sample(usage.evicted_objects);
    to.family("draco_content_damaged_total", Type::Counter, "Objects found damaged and dropped.")
        .sample(usage.damaged_objects);
}

void put_links(Exposition& to, const interfaces::Links& links) {
    struct Figure {
        std::string_view name;
        Type type;
        std::string_view help;
        std::uint64_t (*of)(const interfaces::LinkSnapshot&);
    };

    using Link = interfaces::LinkSnapshot;
    static constexpr std::array kFigures = {
        Figure{"draco_link_up",
               Type::Gauge,
               "1 while the link stands.",
               [](const Link& link) -> std::uint64_t { return link.up ? 1 : 0; }},
        Figure{"draco_link_received_bytes_total",
               Type::Counter,
               "Bytes received from the peer.",
               [](const Link& link) { return link.bytes_received; }},
        Figure{"draco_link_sent_bytes_total",
               Type::Counter,
               "Bytes sent to the peer.",
               [](const Link& link) { return link.bytes_sent; }},
        Figure{"draco_link_received_messages_total",
               Type::Counter,
               "Messages received from the peer.",
               [](const Link& link) { return link.messages_received; }},
        Figure{"draco_link_sent_messages_total",
               Type::Counter,
               "Messages sent to the peer.",
               [](const Link& link) { return link.messages_sent; }},
        Figure{"draco_link_refused_messages_total",
               Type::Counter,
               "Messages of the peer that were malformed, out of turn or beyond a bound.",
               [](const Link& link) { return link.refused; }}};
    to.family("draco_peers", Type::Gauge, "Nodes linked with.").sample(links.connected().size());
    const auto snapshot = links.snapshot();
    for (const auto& [name, type, help, of] : kFigures) {
        to.family(name, type, help);
        for (const Link& link : snapshot) to.sample(of(link), {{"peer", node_key_text(link.key)}});
    }
}

void put_mailboxes(Exposition& to, const affair::Registry& registry) {
    struct Figure {
        std::string_view name;
        Type type;
        std::string_view help;
        std::uint64_t (*of)(const affair::ObjectSnapshot&);
    };

    using Object = affair::ObjectSnapshot;
    static constexpr std::array kFigures = {
        Figure{"draco_mailbox_queued",
               Type::Gauge,
               "Messages that wait.",
               [](const Object& object) -> std::uint64_t { return object.queued; }},
        Figure{"draco_mailbox_capacity",
               Type::Gauge,
               "Messages that may wait.",
               [](const Object& object) -> std::uint64_t { return object.capacity; }},
        Figure{"draco_mailbox_queued_max",
               Type::Gauge,
               "The most that ever waited.",
               [](const Object& object) -> std::uint64_t { return object.queued_max; }},
        Figure{"draco_mailbox_handled_total",
               Type::Counter,
               "Messages handled.",
               [](const Object& object) { return object.handled; }},
        Figure{"draco_mailbox_rejected_total",
               Type::Counter,
               "Messages given back because the mailbox was full or closed.",
               [](const Object& object) { return object.rejected; }},
        Figure{"draco_mailbox_restarts_total",
               Type::Counter,
               "Restarts of the object.",
               [](const Object& object) { return object.restarts; }}};
    const auto snapshot = registry.snapshot();
    for (const auto& [name, type, help, of] : kFigures) {
        to.family(name, type, help);
        for (const Object& object : snapshot) to.sample(of(object), {{"object", object.name}});
    }
}

void put_process(Exposition& to, const ProcessUsage& usage) {
    to.family("draco_process_resident_bytes", Type::Gauge, "Memory of the process in RAM.")
        .sample(usage.rss_bytes);
    to.family("draco_process_cpu_seconds_total", Type::Counter, "CPU time, user and system.")
        .sample_milli(usage.cpu_ms);
    to.family("draco_process_open_fds", Type::Gauge, "Open file descriptors.")
        .sample(usage.open_fds);
}

void put_http(Exposition& to, const http::EngineCounters& counters) {
    to.family("draco_http_connections", Type::Gauge, "Of clients that read content.")
        .sample(counters.connections);
    to.family("draco_http_requests_total", Type::Counter, "Requests for content.")
        .sample(counters.requests);
    to.family("draco_http_sent_bytes_total", Type::Counter, "Answers, with their heads.")
        .sample(counters.bytes_sent);
    to.family("draco_http_body_bytes", Type::Gauge, "Bodies in memory, of all connections.")
        .sample(counters.body_bytes);
    to.family("draco_http_room_waits_total",
              Type::Counter,
              "Bodies that had to wait until others were sent.")
        .sample(counters.room_waits);
    to.family("draco_http_no_room_total",
              Type::Counter,
              "Answers replaced by a 503, because too many were on their way.")
        .sample(counters.no_room);
    to.family("draco_http_dropped_total", Type::Counter, "Connections ended, and why.")
        .sample(counters.refused, {{"reason", "too_many_of_one_client"}})
        .sample(counters.timed_out, {{"reason", "slow_request"}})
        .sample(counters.stalled, {{"reason", "took_nothing"}})
        .sample(counters.too_slow, {{"reason", "too_slow"}})
        .sample(counters.crowded_out, {{"reason", "crowded_out"}})
        .sample(counters.unanswered, {{"reason", "unanswered"}})
        .sample(counters.gone, {{"reason", "client_gone"}})
        .sample(counters.cut_off, {{"reason", "content_failed"}});
}

}  // namespace

std::string metrics_text(const Context& context) {
    Exposition text;
    put_chain(text, context);
    put_consensus(text, context.on.consensus.status());
    put_sync(text, context.on.follower.status());
    put_signer(text, context.on.signer.status());
    if (context.on.acknowledgements != nullptr)
        put_delivery(text, context.on.acknowledgements->status());
    if (context.on.blockstore != nullptr) put_content(text, context.on.blockstore->usage());
    if (context.on.http_counters) put_http(text, context.on.http_counters());
    put_links(text, context.on.links);
    put_mailboxes(text, context.on.registry);
    text.family("draco_rpc_waiters", Type::Gauge, "Calls that wait for a transaction.")
        .sample(context.waiters->count());
    if (context.on.process_usage) put_process(text, context.on.process_usage());
    return std::move(text).take();
}

}  // namespace draco::rpc
