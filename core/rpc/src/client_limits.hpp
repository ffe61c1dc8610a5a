#pragma once
// A token bucket for each client, in bounded memory.

#include "draco/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace draco::rpc {

// What counts as one client: an IPv4 address (also written as IPv6), 64 bits of an IPv6 address,
// or other text as it is.
std::string client_of(std::string_view address);

// The network in which a client (client_of) is one of many: the first 24 bits of an IPv4 address,
// 56 of an IPv6 address, which is what a customer of a provider gets at most; other text as it is.
std::string network_of(std::string_view client);

// A bucket is kept as the time at which it will be full again (GCRA). The clients of the last
// clients_max / 2 newcomers, at least, are remembered; one that is forgotten has a full bucket, so
// the bound costs strictness under very many addresses, never memory. Not thread-safe.
class ClientLimits {
public:
    // Precondition: per_second > 0, burst > 0.
    ClientLimits(std::uint32_t per_second, std::uint32_t burst, std::size_t clients_max);

    // Takes a token; else says after how long there will be one.
    std::optional<Duration> refuse(const std::string& client, Instant now);
    // Takes `count` tokens, also those that are not there yet, if at most `owed_max` are owed; else
    // says after how long that will be so.
    std::optional<Duration> take(const std::string& client,
                                 Instant now,
                                 std::size_t count,
                                 std::size_t owed_max);

    std::size_t remembered() const { return young_.size() + old_.size(); }

private:
    Instant& full_at(const std::string& client);

    const Duration interval_;
    const Duration tolerance_;
    const std::size_t generation_max_;
    std::unordered_map<std::string, Instant> young_;
    std::unordered_map<std::string, Instant> old_;
};

}  // namespace draco::rpc
