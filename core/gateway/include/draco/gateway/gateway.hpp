#pragma once
// Content over HTTP: what web pages, browsers and curl read from a node.
//
//     GET|HEAD /b3/<64 hex digits>[/path]
//     GET|HEAD /services/0/blake3/<64 hex digits>[/path]      the same
//     OPTIONS  any                                            the CORS preflight
//
// docs/formats/gateway.md is the contract with clients. Content is sent while it is still arriving;
// every byte was verified by the content source.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/gateway/rate_limits.hpp"
#include "draco/http/engine.hpp"
#include "draco/interfaces/content.hpp"

#include <cstdint>
#include <memory>

namespace draco::gateway {

struct GatewayOptions {
    http::EngineOptions engine{};
    RateLimits limits{};
    // From a request to the moment at which all objects on its path are open.
    Duration open_deadline = std::chrono::seconds(30);
};

struct GatewayCounters {
    http::EngineCounters http{};
    std::uint64_t limited = 0;  // requests refused with 429

    bool operator==(const GatewayCounters&) const = default;
};

// Thread-safe.
class Gateway {
public:
    // `source` and `clock` outlive the gateway and the last callback that `source` was given.
    // Errors: those of http::Engine::start.
    static Result<std::unique_ptr<Gateway>> start(interfaces::ContentSource& source,
                                                  const Clock& clock,
                                                  const GatewayOptions& options);
    ~Gateway();  // stop(0)
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    // As http::Engine::stop.
    void stop(Duration grace);

    std::uint16_t port() const;
    GatewayCounters counters() const;

private:
    class Routes;

    explicit Gateway(std::unique_ptr<Routes> routes);

    std::unique_ptr<Routes> routes_;
    std::unique_ptr<http::Engine> engine_;
};

}  // namespace draco::gateway
