#pragma once
// The records that a node keeps for the network, in memory. Deterministic; not thread-safe. Every
// call costs O(log records), but for lookup() and a full object's put(): O(records of the object).

#include "draco/base/clock.hpp"
#include "draco/types/provider.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

namespace draco::resolver {

struct RecordLimits {
    std::size_t records_max = std::size_t{1} << 17;  // about 300 bytes each
    std::size_t records_per_node_max = std::size_t{1} << 15;
    std::size_t records_per_object_max = 64;
};

class RecordStore {
public:
    explicit RecordStore(const RecordLimits& limits) : limits_(limits) {}

    // Whether it would be new: to be asked before its signature is checked.
    bool is_news(const types::ProviderRecord& record) const;
    // Keeps it until then, in place of an older one of its node and object. A record that says
    // withdrawn is kept too, so that older ones do not come back. False: a bound is reached.
    // Precondition: is_news(), and its signature is verified.
    [[nodiscard]] bool put(const types::SignedProviderRecord& record, Instant until);
    // At most `count_max` that are not withdrawn, ascending by node from after `rotation` on,
    // round.
    std::vector<types::SignedProviderRecord> lookup(const types::ContentHash& hash,
                                                    const types::NodeKey& rotation,
                                                    std::size_t count_max) const;
    void drop_expired(Instant now);

    std::optional<Instant> first_expiry() const;

    std::size_t size() const { return expiries_.size(); }

private:
    struct Kept {
        types::SignedProviderRecord record;
        Instant until{};
    };

    using Expiry = std::tuple<Instant, types::ContentHash, types::NodeKey>;

    RecordLimits limits_;
    std::map<types::ContentHash, std::map<types::NodeKey, Kept>> records_;
    std::map<types::NodeKey, std::size_t> of_node_;
    std::set<Expiry> expiries_;
};

}  // namespace draco::resolver
