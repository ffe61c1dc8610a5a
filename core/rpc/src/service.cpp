#include "draco/rpc/service.hpp"

#include "admin_waits.hpp"
#include "envelope.hpp"
#include "exchange.hpp"
#include "method.hpp"
#include "metrics.hpp"
#include "node_status.hpp"
#include "transaction_waiters.hpp"

#include <atomic>
#include <chrono>
#include <utility>

namespace draco::rpc {
namespace {

// The duty to answer one body. Dropped without an answer it says that the service stops.
class BodyAnswer {
public:
    explicit BodyAnswer(RpcService::Done done) : done_(std::move(done)) {}

    BodyAnswer(BodyAnswer&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}

    BodyAnswer& operator=(BodyAnswer&&) = delete;
    BodyAnswer(const BodyAnswer&) = delete;
    BodyAnswer& operator=(const BodyAnswer&) = delete;

    ~BodyAnswer() {
        if (done_) give(error_text(kNullId, stopping()));
    }

    void give(std::string response) { std::exchange(done_, nullptr)(std::move(response)); }

    RpcService::Done take() { return std::exchange(done_, nullptr); }

private:
    RpcService::Done done_;
};

struct Request {
    std::string body;
    bool by_admin;
    Caller caller;
    BodyAnswer answer;
};

RpcError too_many_calls(Duration wait) {
    RpcError error = busy("too many calls from this address: this batch was not run");
    error.data["retry_after_ms"] = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    return error;
}

RpcError not_admin(const ServiceDependencies& on) {
    if (!on.admin) return {Code::NotAdmin, "this node takes no admin calls"};
    return {Code::NotAdmin,
            "admin calls need the header 'Authorization: Bearer TOKEN' with the token that this "
            "start of the node has written to " +
                on.admin->token_path + " in its home"};
}

class RequestHandler {
public:
    using Messages = affair::Messages<Request>;

    explicit RequestHandler(const Context& context) : context_(context) {}

    void handle(Request request) const {
        auto calls = parse_calls(request.body, context_.limits);
        if (!calls) return request.answer.give(error_text(kNullId, calls.error()));
        const std::size_t count = calls->calls.size();
        if (count > 1 && request.caller.charge)
            if (const auto wait =
                    request.caller.charge(count - 1, context_.on.executor.clock().now()))
                return request.answer.give(error_text(kNullId, too_many_calls(*wait)));
        const auto exchange = std::make_shared<Exchange>(
            *calls, context_.limits.response_bytes_max, request.answer.take());
        Context context = context_;
        context.client = request.caller.client;
        for (std::size_t place = 0; place < count; ++place)
            run(context, calls->calls[place], request.by_admin, Answer(exchange, place));
    }

private:
    static void run(const Context& context, const Call& call, bool by_admin, Answer answer) {
        if (call.invalid) return answer.give(std::unexpected(*call.invalid));
        const Method* const method = find_method(call.method);
        if (method == nullptr)
            return answer.give(std::unexpected(
                RpcError(Code::MethodNotFound,
                         "there is no method '" + shown(call.method) + "'; did you mean '" +
                             std::string(nearest_method(call.method)) + "'?")));
        if (method->reach == Reach::Admin && !by_admin)
            return answer.give(std::unexpected(not_admin(context.on)));
        const auto parameters = Parameters::bind(method->parameters, call.parameters);
        if (!parameters) return answer.give(std::unexpected(parameters.error()));
        if (method->start != nullptr) return method->start(context, *parameters, std::move(answer));
        answer.give(method->read(context, *parameters));
    }

    const Context& context_;
};

}  // namespace

class RpcService::State {
public:
    State(ServiceDependencies dependencies, ServiceLimits limits)
        : on(std::move(dependencies)),
          bounds(limits),
          waiters(std::make_shared<TransactionWaiters>(
              on.ledger,
              on.executor,
              WaiterLimits{.all = bounds.waiters_max, .of_client = bounds.waiters_per_client_max})),
          admin_waits(std::make_shared<AdminWaits>(on.executor, bounds.admin_waits_max)),
          context{.on = on, .limits = bounds, .waiters = waiters, .admin_waits = admin_waits} {}

    Result<> start() {
        DRACO_TRY(spawned,
                  on.registry.spawn_concurrent<RequestHandler>(
                      {.name = "rpc", .capacity = bounds.requests_max},
                      {.messages = bounds.requests_in_work_max},
                      [this] { return std::make_unique<RequestHandler>(context); }));
        handler.emplace(std::move(spawned));
        on.ledger.add_observer(*waiters);
        return {};
    }

    void stop() {
        if (stopped.exchange(true) || !handler) return;
        on.ledger.remove_observer(*waiters);
        waiters->stop();
        admin_waits->stop();
    }

    bool is_admin(std::string_view authorization) const {
        if (!on.admin || authorization.empty()) return false;
        const auto given = parse_authorization(authorization);
        return given && crypto::constant_time_equal(given->expose(), on.admin->token.expose());
    }

    void refuse(BodyAnswer answer, RpcError error) {
        on.executor.post([answer = std::move(answer), error = std::move(error)]() mutable {
            answer.give(error_text(kNullId, error));
        });
    }

    const ServiceDependencies on;
    const ServiceLimits bounds;
    const std::shared_ptr<TransactionWaiters> waiters;
    const std::shared_ptr<AdminWaits> admin_waits;
    const Context context;
    std::atomic<bool> stopped{false};
    std::optional<affair::Owner<RequestHandler>> handler;
};

RpcService::RpcService(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<RpcService>> RpcService::start(ServiceDependencies dependencies,
                                                      ServiceLimits limits) {
    auto state = std::make_unique<State>(std::move(dependencies), limits);
    DRACO_TRY_VOID(state->start());
    return std::unique_ptr<RpcService>(new RpcService(std::move(state)));
}

RpcService::~RpcService() {
    stop();
}

void RpcService::handle(std::string_view body, Done done, Caller caller) {
    if (state_->stopped) return state_->refuse(BodyAnswer(std::move(done)), stopping());
    // What waits is a copy, so its length is checked before.
    if (body.size() > state_->bounds.body_bytes_max)
        return state_->refuse(BodyAnswer(std::move(done)),
                              too_long(body.size(), state_->bounds.body_bytes_max));
    const bool by_admin = state_->is_admin(caller.authorization);
    auto told = state_->handler->address().tell(Request{.body = std::string(body),
                                                        .by_admin = by_admin,
                                                        .caller = std::move(caller),
                                                        .answer = BodyAnswer(std::move(done))});
    if (told) return;
    state_->refuse(std::move(told.error().message.answer), RpcError(told.error().error));
}

void RpcService::stop() {
    state_->stop();
}

bool RpcService::is_admin(std::string_view authorization) const {
    return state_->is_admin(authorization);
}

Health RpcService::health() const {
    if (state_->stopped) return {.ok = false, .reason = "the node is stopping"};
    return health_of(state_->context);
}

std::string RpcService::metrics() const {
    return metrics_text(state_->context);
}

const std::string& RpcService::version() const {
    return state_->on.version;
}

const ServiceLimits& RpcService::limits() const {
    return state_->bounds;
}

}  // namespace draco::rpc
