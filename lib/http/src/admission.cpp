#include "admission.hpp"

#include "draco/base/assert.hpp"

#include <utility>

namespace draco::http {

bool Admission::enter() {
    const std::lock_guard lock(mutex_);
    if (connections_ >= connections_max_) {
        somebody_waits_ = true;
        return false;
    }
    ++connections_;
    return true;
}

bool Admission::enter_client(std::uint64_t network) {
    const std::lock_guard lock(mutex_);
    std::size_t& count = clients_[network];
    if (count >= connections_per_client_max_ && count > 0) return false;
    ++count;
    return true;
}

void Admission::leave_client(std::uint64_t network) {
    const std::lock_guard lock(mutex_);
    const auto found = clients_.find(network);
    DRACO_ASSERT(found != clients_.end(), "a client that leaves has entered");
    if (--found->second == 0) clients_.erase(found);
}

void Admission::leave() {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        --connections_;
        wake = std::exchange(somebody_waits_, false);
    }
    if (wake) on_room_();
}

}  // namespace draco::http
