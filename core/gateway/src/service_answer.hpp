#pragma once
// From a service's answer to one of HTTP: checked, since services may be anybody's, and charged to
// the client as it is taken.

#include "draco/http/answer.hpp"
#include "draco/sdk/answer.hpp"

#include "client_limits.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace draco::gateway {

// Who pays for what is sent.
struct Charge {
    std::shared_ptr<ClientLimits> limits;
    std::uint64_t client = 0;

    void bytes(std::uint64_t count) const { limits->charge_bytes(client, count); }
};

// nullopt for one that breaks the contract of sdk::Answer. With `is_head` nothing is charged.
std::optional<http::Answer> to_http(sdk::Answer answer, bool is_head, const Charge& charge);

}  // namespace draco::gateway
