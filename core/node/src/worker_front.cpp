#include "worker_front.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/rpc/process_usage.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace draco::node {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

bool is_linked(const WorkerView& view) {
    const std::vector<types::NodeKey> linked = view.links.connected();
    return std::ranges::find(linked, view.node.key) != linked.end();
}

// Labels and names here need no escaping.
void put_metric(std::string& to,
                std::string_view name,
                std::string_view type,
                std::string_view help,
                std::uint64_t value,
                std::string_view labels = {}) {
    to.append("# HELP ").append(name).append(" ").append(help);
    to.append("\n# TYPE ").append(name).append(" ").append(type);
    to.append("\n").append(name).append(labels).append(" ").append(std::to_string(value));
    to.append("\n");
}

void put_traffic(std::string& to, const interfaces::Links& links) {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    for (const interfaces::LinkSnapshot& link : links.snapshot()) {
        received += link.bytes_received;
        sent += link.bytes_sent;
    }
    put_metric(to, "draco_worker_received_bytes_total", "counter", "Over its links.", received);
    put_metric(to, "draco_worker_sent_bytes_total", "counter", "Over its links.", sent);
}

}  // namespace

std::string worker_trouble(const WorkerView& view) {
    if (!is_linked(view))
        return "no link with its node at " + to_text(HostAndPort{view.node.host, view.node.port}) +
               ": is the node running, and does its [consensus] workers name this worker?";
    return view.worker.status().reason;
}

std::string worker_metrics(const WorkerView& view) {
    const interfaces::ConsensusStatus status = view.worker.status();
    const std::size_t linked = view.links.connected().size();
    const bool has_node = is_linked(view);
    std::string text;
    put_metric(text,
               "draco_worker_info",
               "gauge",
               "The program and the worker; always 1.",
               1,
               "{version=\"" DRACO_VERSION "\",worker=\"" + to_base58(view.links.self().view()) +
                   "\",node=\"" + to_base58(view.node.key.view()) + "\",index=\"" +
                   std::to_string(view.index) + "\"}");
    put_metric(text,
               "draco_worker_healthy",
               "gauge",
               "1 if /health says OK.",
               worker_trouble(view).empty() ? 1 : 0);
    put_metric(text, "draco_worker_node_linked", "gauge", "1 if its node is.", has_node ? 1 : 0);
    put_metric(text,
               "draco_worker_peers",
               "gauge",
               "Other members' workers linked with.",
               linked - (has_node ? 1 : 0));
    put_metric(text, "draco_worker_epoch", "gauge", "As its node says.", status.epoch.value());
    put_metric(text,
               "draco_worker_member",
               "gauge",
               "1 while its node is of the committee.",
               status.role == interfaces::ConsensusRole::Member ? 1 : 0);
    put_metric(text,
               "draco_worker_transactions_waiting_bytes",
               "gauge",
               "Own transactions that are not executed yet.",
               status.transactions_waiting_bytes);
    put_metric(text,
               "draco_worker_messages_refused_total",
               "counter",
               "Messages that broke a rule.",
               status.messages_refused);
    put_traffic(text, view.links);
    const rpc::ProcessUsage usage = rpc::read_process_usage();
    put_metric(text,
               "draco_process_resident_bytes",
               "gauge",
               "Memory of the process in RAM.",
               usage.rss_bytes);
    put_metric(text, "draco_process_open_fds", "gauge", "Open file descriptors.", usage.open_fds);
    return text;
}

void WorkerFront::on_request(http::Request request,
                             const std::string& /*client*/,
                             std::unique_ptr<http::Responder> responder) {
    const std::string_view path =
        std::string_view(request.target).substr(0, request.target.find('?'));
    if (request.method != "GET" && request.method != "HEAD")
        return responder->respond(http::text_response(405, kText, "GET it\n"));
    if (path == "/metrics")
        return responder->respond(http::text_response(200, kMetricsText, worker_metrics(view_)));
    if (path != "/health")
        return responder->respond(
            http::text_response(404, kText, "there is nothing here; GET /health or /metrics\n"));
    const std::string trouble = worker_trouble(view_);
    responder->respond(trouble.empty() ? http::text_response(200, kText, "OK")
                                       : http::text_response(503, kText, trouble + "\n"));
}

}  // namespace draco::node
