#include "draco/resolver/record_store.hpp"

#include <optional>

namespace draco::resolver {

using types::ContentHash;
using types::NodeKey;
using types::SignedProviderRecord;

bool RecordStore::is_news(const types::ProviderRecord& record) const {
    const auto object = records_.find(record.hash);
    if (object == records_.end()) return true;
    const auto kept = object->second.find(record.node);
    return kept == object->second.end() || kept->second.record.record.sequence < record.sequence;
}

bool RecordStore::put(const SignedProviderRecord& record, Instant until) {
    const ContentHash& hash = record.record.hash;
    const NodeKey& node = record.record.node;
    const auto object = records_.find(hash);
    if (object != records_.end()) {
        if (const auto kept = object->second.find(node); kept != object->second.end()) {
            expiries_.erase({kept->second.until, hash, node});
            kept->second = {record, until};
            expiries_.emplace(until, hash, node);
            return true;
        }
        if (object->second.size() >= limits_.records_per_object_max) return false;
    }
    const auto count = of_node_.find(node);
    if (expiries_.size() >= limits_.records_max ||
        (count != of_node_.end() && count->second >= limits_.records_per_node_max))
        return false;
    records_[hash].emplace(node, Kept{record, until});
    ++of_node_[node];
    expiries_.emplace(until, hash, node);
    return true;
}

std::vector<SignedProviderRecord> RecordStore::lookup(const ContentHash& hash,
                                                      const NodeKey& rotation,
                                                      std::size_t count_max) const {
    std::vector<SignedProviderRecord> found;
    const auto object = records_.find(hash);
    if (object == records_.end()) return found;
    const auto add = [&](auto from, auto to) {
        for (; from != to && found.size() < count_max; ++from)
            if (!from->second.record.record.is_withdrawn) found.push_back(from->second.record);
    };
    const auto start = object->second.upper_bound(rotation);
    add(start, object->second.end());
    add(object->second.begin(), start);
    return found;
}

void RecordStore::drop_expired(Instant now) {
    while (!expiries_.empty() && std::get<Instant>(*expiries_.begin()) <= now) {
        const auto [until, hash, node] = *expiries_.begin();
        expiries_.erase(expiries_.begin());
        const auto object = records_.find(hash);
        object->second.erase(node);
        if (object->second.empty()) records_.erase(object);
        const auto count = of_node_.find(node);
        if (--count->second == 0) of_node_.erase(count);
    }
}

std::optional<Instant> RecordStore::first_expiry() const {
    if (expiries_.empty()) return std::nullopt;
    return std::get<Instant>(*expiries_.begin());
}

}  // namespace draco::resolver
