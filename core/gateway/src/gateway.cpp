#include "draco/gateway/gateway.hpp"

#include "answers.hpp"
#include "client_limits.hpp"
#include "content_path.hpp"
#include "delivery.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace draco::gateway {
namespace {

constexpr std::array<std::string_view, 4> kDecidingFields = {
    "If-Match", "If-None-Match", "If-Range", "Range"};

http::Fields deciding_fields(const http::Fields& fields) {
    http::Fields kept;
    for (const http::Field& field : fields.list) {
        const bool decides = std::ranges::any_of(kDecidingFields, [&](std::string_view name) {
            return http::equals_ignoring_case(name, field.name);
        });
        if (decides) kept.list.push_back(field);
    }
    return kept;
}

}  // namespace

class Gateway::Routes final : public http::EngineHandler {
public:
    Routes(interfaces::ContentSource& source, const Clock& clock, const GatewayOptions& options)
        : source_(source),
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
        if (request.method == "OPTIONS") return reply.answer(preflight());
        const bool is_head = request.method == "HEAD";
        if (!is_head && request.method != "GET") return reply.answer(wrong_method());
        auto path = parse_content_path(request.target);
        if (!path) return reply.answer(refusal(path.error().status, std::move(path.error().text)));
        std::make_shared<Delivery>(source_,
                                   limits_,
                                   *std::move(path),
                                   Delivery::Asked{.target = request.target,
                                                   .is_head = is_head,
                                                   .fields = deciding_fields(request.fields),
                                                   .client = client,
                                                   .deadline = clock_.now() + open_deadline_},
                                   std::move(reply))
            ->start();
    }

    std::uint64_t limited() const { return limited_.load(std::memory_order_relaxed); }

private:
    interfaces::ContentSource& source_;
    const Clock& clock_;
    const Duration open_deadline_;
    // Shared with deliveries that end after the gateway.
    const std::shared_ptr<ClientLimits> limits_;
    std::atomic<std::uint64_t> limited_ = 0;
};

Result<std::unique_ptr<Gateway>> Gateway::start(interfaces::ContentSource& source,
                                                const Clock& clock,
                                                const GatewayOptions& options) {
    std::unique_ptr<Gateway> gateway(new Gateway(std::make_unique<Routes>(source, clock, options)));
    DRACO_TRY(engine, http::Engine::start(*gateway->routes_, clock, options.engine));
    gateway->engine_ = std::move(engine);
    return gateway;
}

Gateway::Gateway(std::unique_ptr<Routes> routes) : routes_(std::move(routes)) {}

Gateway::~Gateway() = default;

void Gateway::stop(Duration grace) {
    engine_->stop(grace);
}

std::uint16_t Gateway::port() const {
    return engine_->port();
}

GatewayCounters Gateway::counters() const {
    return {.http = engine_->counters(), .limited = routes_->limited()};
}

}  // namespace draco::gateway
