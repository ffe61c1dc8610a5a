#pragma once
// What a worker says of itself over HTTP: GET /health ("OK", or 503 and the reason) and GET
// /metrics (Prometheus text).

#include "draco/http/server.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/links.hpp"

#include <cstdint>
#include <string>

namespace draco::node {

struct WorkerView {
    const interfaces::Consensus& worker;
    const interfaces::Links& links;
    interfaces::PeerAddress node;  // whose worker it is
    std::uint16_t index = 0;
};

// Why it does no work; empty if it does, or would if its node were of the committee.
std::string worker_trouble(const WorkerView& view);
std::string worker_metrics(const WorkerView& view);

class WorkerFront final : public http::Handler {
public:
    explicit WorkerFront(const WorkerView& view) : view_(view) {}

    void on_request(http::Request request,
                    const std::string& client,
                    std::unique_ptr<http::Responder> responder) override;

private:
    const WorkerView view_;
};

}  // namespace draco::node
