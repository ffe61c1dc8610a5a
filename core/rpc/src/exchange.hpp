#pragma once
// One body and its answers, which may come in any order from any thread.

#include "envelope.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::rpc {

// The response is sent when every call has been answered. Made by exchange().
class Exchange {
public:
    using Done = RpcService::Done;

    Exchange(const Calls& calls, std::size_t response_bytes_max, Done done);

    // Each place once.
    void answer(std::size_t place, const Outcome<boost::json::value>& outcome);

private:
    void finish();

    const bool batch_;
    const std::size_t response_bytes_max_;
    std::vector<std::optional<std::string>> ids_;
    std::vector<std::string> texts_;
    std::atomic<std::size_t> bytes_{0};
    std::atomic<std::size_t> open_;
    Done done_;
};

// The duty to answer one call. Move-only; dropped without an answer it says that the service
// stops.
class Answer {
public:
    Answer(std::shared_ptr<Exchange> exchange, std::size_t place)
        : exchange_(std::move(exchange)), place_(place) {}

    Answer(Answer&&) noexcept = default;
    Answer& operator=(Answer&&) = delete;
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer();

    void give(const Outcome<boost::json::value>& outcome);

private:
    std::shared_ptr<Exchange> exchange_;
    std::size_t place_;
};

RpcError stopping();

}  // namespace draco::rpc
