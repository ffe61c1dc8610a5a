#pragma once
// Tells a handler that nobody waits for its answer, unless it has given it: of the two, which may
// come at the same time, the first decides.

#include <atomic>
#include <functional>
#include <utility>

namespace draco::http::detail {

class GoneNotice {
public:
    explicit GoneNotice(std::move_only_function<void()> tell) : tell_(std::move(tell)) {}

    // Any thread: from now on nobody is told.
    void answered() {
        if (is_first()) tell_ = nullptr;
    }

    // The thread of the connection.
    void gone() {
        if (!is_first()) return;
        auto tell = std::exchange(tell_, nullptr);
        tell();
    }

private:
    bool is_first() { return !is_decided_.exchange(true, std::memory_order_acq_rel); }

    std::atomic<bool> is_decided_ = false;
    std::move_only_function<void()> tell_;  // belongs to who was first
};

}  // namespace draco::http::detail
