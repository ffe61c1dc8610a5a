#include "places.hpp"

namespace draco::fetcher {

bool Places::take(const interfaces::Asker& asker) {
    const std::lock_guard lock(mutex_);
    std::size_t& of_class = taken_[index_of(asker.kind)];
    if (of_class >= max_of(limits_, asker.kind)) return false;
    if (is_told_apart(asker)) {
        const auto found = taken_by_.find(asker);
        if (found != taken_by_.end() && found->second >= limits_.one_max) return false;
        ++taken_by_[asker];
    }
    ++of_class;
    return true;
}

void Places::give_back(const interfaces::Asker& asker, std::size_t count) {
    if (count == 0) return;
    const std::lock_guard lock(mutex_);
    taken_[index_of(asker.kind)] -= count;
    if (!is_told_apart(asker)) return;
    const auto found = taken_by_.find(asker);
    found->second -= count;
    if (found->second == 0) taken_by_.erase(found);
}

}  // namespace draco::fetcher
