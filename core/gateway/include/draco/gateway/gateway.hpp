#pragma once
// The HTTP front of a node: it takes requests, gives each to the service that its target names, and
// sends what that answers.
//
//     <method> /services/<id>/...       the service with that number, for the methods it takes
//     <method> /b3/...                  the same as /services/0/blake3/...
//     OPTIONS  any                      the CORS preflight
//
// docs/formats/gateway.md is the contract with clients, draco/sdk/service.hpp that with services.
// What a client may take for nothing is bounded (rate_limits.hpp), whichever service it asks.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/gateway/rate_limits.hpp"
#include "draco/http/engine.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/sdk/service.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace draco::gateway {

inline constexpr std::size_t kServicesMax = 32;

struct GatewayOptions {
    http::EngineOptions engine{};
    RateLimits limits{};
    // From a request to the moment at which all content that its service asks for is open.
    Duration open_deadline = std::chrono::seconds(30);
};

struct GatewayCounters {
    http::EngineCounters http{};
    std::uint64_t limited = 0;      // requests refused with 429
    std::uint64_t bad_answers = 0;  // answers that broke the contract of services, replaced by 500

    bool operator==(const GatewayCounters&) const = default;
};

// Thread-safe.
class Gateway {
public:
    using Services = std::vector<std::unique_ptr<sdk::Service>>;

    // `source` and `clock` outlive the gateway and the last callback that `source` was given.
    // Errors: InvalidArgument (two services of one number, more than kServicesMax, or an info()
    // that is not what sdk::ServiceInfo says), and those of http::Engine::start.
    static Result<std::unique_ptr<Gateway>> start(Services services,
                                                  interfaces::ContentSource& source,
                                                  const Clock& clock,
                                                  const GatewayOptions& options);
    ~Gateway();  // stop(0)
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    // As http::Engine::stop: then no service is asked any more.
    void stop(Duration grace);

    std::uint16_t port() const;
    GatewayCounters counters() const;

private:
    class Front;

    explicit Gateway(std::unique_ptr<Front> front);

    std::unique_ptr<Front> front_;
    std::unique_ptr<http::Engine> engine_;
};

}  // namespace draco::gateway
