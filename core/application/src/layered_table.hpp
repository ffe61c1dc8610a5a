#pragma once
// The changes of one table in two layers: those of the block so far, and above them those of the
// step under way, which are kept or discarded together. Below both is the committed state.

#include "draco/base/result.hpp"

#include "tables.hpp"

#include <map>
#include <optional>
#include <utility>

namespace draco::application {

template <class T>
class LayeredTable {
public:
    using Key = typename T::KeyType;
    using Value = typename T::ValueType;
    using Layer = std::map<Key, std::optional<Value>>;  // nullopt: removed

    Result<std::optional<Value>> get(const Writes& committed, const Key& key) const {
        if (const auto changed = step_.find(key); changed != step_.end()) return changed->second;
        return before(committed, key);
    }

    // As it was when the step began.
    Result<std::optional<Value>> before(const Writes& committed, const Key& key) const {
        if (const auto changed = block_.find(key); changed != block_.end()) return changed->second;
        return committed.get(T{}, key);
    }

    void set(const Key& key, std::optional<Value> value) {
        step_.insert_or_assign(key, std::move(value));
    }

    const Layer& step() const { return step_; }

    void keep() {
        for (auto& [key, value] : step_) block_.insert_or_assign(key, std::move(value));
        step_.clear();
    }

    void discard() { step_.clear(); }

    Result<> write_to(Writes& writes) const {
        for (const auto& [key, value] : block_)
            DRACO_TRY_VOID(value ? writes.put(T{}, key, *value) : writes.remove(T{}, key));
        return {};
    }

private:
    Layer block_;
    Layer step_;
};

}  // namespace draco::application
