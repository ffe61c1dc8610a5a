#pragma once
// How many connections there are, in all and of each client, over all threads. Thread-safe.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace draco::http {

class Admission {
public:
    Admission(std::size_t connections_max,
              std::size_t connections_per_client_max,
              std::function<void()> on_room)
        : connections_max_(connections_max),
          connections_per_client_max_(connections_per_client_max),
          on_room_(std::move(on_room)) {}

    // Takes one of the places, or finds that there is none.
    bool enter();
    // The place is one of this client's.
    bool enter_client(std::uint64_t network);
    void leave_client(std::uint64_t network);
    // Gives the place back. If somebody found none since the last time, `on_room` is called.
    void leave();

private:
    const std::size_t connections_max_;
    const std::size_t connections_per_client_max_;
    const std::function<void()> on_room_;
    std::mutex mutex_;
    std::size_t connections_ = 0;
    bool somebody_waits_ = false;
    std::unordered_map<std::uint64_t, std::size_t> clients_;
};

}  // namespace draco::http
