#pragma once
// The service behind a gateway over loopback, before a source in memory.

#include "draco/cdn/cdn.hpp"

#include "../../../core/gateway/test/gateway_fixture.hpp"

#include <cstddef>
#include <utility>

namespace draco::cdn {

using gateway::b3;
using gateway::body_of;
using gateway::Client;
using gateway::field;
using gateway::link_to;
using gateway::random_bytes;
using gateway::Response;
using gateway::symlink_to;
using gateway::text;

inline constexpr std::size_t kBlock = blake3_tree::kBlockBytes;

class CdnOverHttp : public gateway::GatewayOverHttp {
protected:
    void start(const gateway::GatewayOptions& options) {
        gateway::Gateway::Services services;
        services.push_back(make_service());
        GatewayOverHttp::start(std::move(services), options);
    }

    void start() { start({.engine = {.thread_count = 2}, .limits = unlimited()}); }
};

}  // namespace draco::cdn
