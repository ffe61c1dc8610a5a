#pragma once
// The calls of open() that wait, until each is answered or taken back.

#include "draco/interfaces/content.hpp"

#include "places.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace draco::fetcher {

struct Opening {
    types::ContentHash hash{};
    Place place{};
};

// Thread-safe. Places are given back outside its mutex.
class Openings {
public:
    void begin(interfaces::OpenId id, Opening opening) {
        const std::lock_guard lock(mutex_);
        waiting_.emplace(id, std::move(opening));
    }

    bool waits(interfaces::OpenId id) const {
        const std::lock_guard lock(mutex_);
        return waiting_.contains(id);
    }

    // Its place is another one's from now on; none, if it waits no more.
    Place take_place(interfaces::OpenId id) {
        const std::lock_guard lock(mutex_);
        const auto found = waiting_.find(id);
        return found == waiting_.end() ? Place() : std::move(found->second.place);
    }

    // Nothing: it waits no more.
    std::optional<Opening> end(interfaces::OpenId id) {
        const std::lock_guard lock(mutex_);
        auto ended = waiting_.extract(id);
        if (!ended) return std::nullopt;
        return std::move(ended.mapped());
    }

private:
    mutable std::mutex mutex_;
    std::map<interfaces::OpenId, Opening> waiting_;
};

}  // namespace draco::fetcher
