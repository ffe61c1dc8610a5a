#include "draco/gateway/gateway.hpp"

#include "answers.hpp"
#include "client_limits.hpp"
#include "content_host.hpp"
#include "route.hpp"
#include "service_answer.hpp"
#include "service_table.hpp"

#include <atomic>
#include <utility>

namespace draco::gateway {
namespace {

std::vector<sdk::FieldView> views_of(const http::Fields& fields) {
    std::vector<sdk::FieldView> views;
    views.reserve(fields.list.size());
    for (const http::Field& field : fields.list)
        views.push_back({.name = field.name, .value = field.value});
    return views;
}

}  // namespace

class Gateway::Front final : public http::EngineHandler {
public:
    Front(ServiceTable services,
          interfaces::ContentSource& source,
          const Clock& clock,
          const GatewayOptions& options)
        : services_(std::move(services)),
          source_(source),
          clock_(clock),
          open_deadline_(options.open_deadline),
          limits_(std::make_shared<ClientLimits>(clock, options.limits)) {}

    void on_request(const http::Request& request,
                    const http::Peer& peer,
                    http::Reply reply) override {
        const std::uint64_t client = peer.network();
        if (const auto wait = limits_->refuse(client)) {
            limited_.fetch_add(1, std::memory_order_relaxed);
            return reply.answer(too_many(*wait));
        }
        const auto route = parse_route(request.target);
        const ServiceTable::Entry* const entry = route ? services_.find(route->service) : nullptr;
        if (request.method == "OPTIONS") return reply.answer(services_.preflight(entry));
        if (entry == nullptr)
            return reply.answer(
                services_.nothing_at(request.target, route ? &route->service : nullptr));
        if (!entry->takes(request.method))
            return reply.answer(wrong_method(entry->service->info().name, entry->methods));
        ask(*entry->service, request, route->target, client, std::move(reply));
    }

    std::uint64_t limited() const { return limited_.load(std::memory_order_relaxed); }

    std::uint64_t bad_answers() const { return bad_answers_->load(std::memory_order_relaxed); }

private:
    void ask(sdk::Service& service,
             const http::Request& request,
             std::string_view target,
             std::uint64_t client,
             http::Reply reply) const {
        const std::vector<sdk::FieldView> fields = views_of(request.fields);
        auto host = std::make_shared<ContentHost>(
            source_,
            interfaces::Asker{.kind = interfaces::AskerClass::Stranger, .number = client},
            clock_.now() + open_deadline_);
        reply.on_gone([host] { host->give_up(); });
        service.on_request({.method = request.method,
                            .target = target,
                            .target_as_sent = request.target,
                            .fields = fields,
                            .body = request.body,
                            .client_network = client},
                           std::move(host),
                           [reply = std::move(reply),
                            charge = Charge{.limits = limits_, .client = client},
                            is_head = request.method == "HEAD",
                            bad_answers = bad_answers_](sdk::Answer answer) mutable {
                               auto sent = to_http(std::move(answer), is_head, charge);
                               if (!sent) {
                                   bad_answers->fetch_add(1, std::memory_order_relaxed);
                                   sent = refusal(500, "the service gave an answer that is none.");
                               }
                               reply.answer(*std::move(sent));
                           });
    }

    const ServiceTable services_;
    interfaces::ContentSource& source_;
    const Clock& clock_;
    const Duration open_deadline_;
    // Shared with answers that are given after the gateway has gone.
    const std::shared_ptr<ClientLimits> limits_;
    const std::shared_ptr<std::atomic<std::uint64_t>> bad_answers_ =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    std::atomic<std::uint64_t> limited_ = 0;
};

Result<std::unique_ptr<Gateway>> Gateway::start(Services services,
                                                interfaces::ContentSource& source,
                                                const Clock& clock,
                                                const GatewayOptions& options) {
    DRACO_TRY(table, ServiceTable::make(std::move(services)));
    std::unique_ptr<Gateway> gateway(
        new Gateway(std::make_unique<Front>(std::move(table), source, clock, options)));
    DRACO_TRY(engine, http::Engine::start(*gateway->front_, clock, options.engine));
    gateway->engine_ = std::move(engine);
    return gateway;
}

Gateway::Gateway(std::unique_ptr<Front> front) : front_(std::move(front)) {}

Gateway::~Gateway() = default;

void Gateway::stop(Duration grace) {
    engine_->stop(grace);
}

std::uint16_t Gateway::port() const {
    return engine_->port();
}

GatewayCounters Gateway::counters() const {
    return {.http = engine_->counters(),
            .limited = front_->limited(),
            .bad_answers = front_->bad_answers()};
}

}  // namespace draco::gateway
