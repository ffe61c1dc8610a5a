#pragma once
// Which nodes have an object. Nobody's word is proof: whoever fetches verifies what it gets.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/types/content.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace draco::interfaces {

struct ProvidersStatus {
    std::uint64_t provided = 0;      // objects that this node says it has
    std::uint64_t kept_records = 0;  // records of others that it keeps for the network
    std::uint64_t lookups = 0;       // since the start, as what follows
    std::uint64_t not_found = 0;
    std::uint64_t refused_records = 0;  // forged, expired, or beyond a bound

    bool operator==(const ProvidersStatus&) const = default;
};

// Thread-safe.
class Providers {
public:
    // Those who say they have it, the likeliest to be of use first, without this node. NotFound if
    // none was found in time.
    using FindCallback = std::move_only_function<void(Result<std::vector<types::NodeKey>>)>;

    virtual ~Providers() = default;
    // From now on others find this node when they look for the object; said again before it
    // expires, and to those who keep the records when they change. Idempotent. Exhausted: too many
    // objects.
    virtual Result<> provide(const types::ContentHash& hash) = 0;
    // The record is not renewed, and its keepers are told.
    virtual void withdraw(const types::ContentHash& hash) = 0;
    // `callback` is called once, as a task of its own.
    virtual void find(const types::ContentHash& hash, Instant deadline, FindCallback callback) = 0;
    virtual ProvidersStatus status() const = 0;
};

}  // namespace draco::interfaces
