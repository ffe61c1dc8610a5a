#pragma once
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>

namespace draco::io::detail {

class Connection;
class ListenerState;

// One thread, its io_context, and what lives on it. Connections and listeners keep it alive, so
// that a handle that outlives the Network has something to name.
class EventLoop {
public:
    // What one turn of one connection reads or writes at most. The buffers are shared by all
    // connections of the loop; between turns they hold nothing.
    static constexpr std::size_t kTurnBytes = std::size_t{64} << 10;

    EventLoop();

    void start(const std::string& thread_name);  // throws std::system_error
    void join();

    bool is_this_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

    boost::asio::io_context& context() { return context_; }

    template <class Task>
    void post(Task&& task) {
        boost::asio::post(context_, std::forward<Task>(task));
    }

    // The rest, up to `release`, on the loop's thread only.

    // False once the loop has closed all: nothing new may begin.
    bool add(Connection& connection);
    void remove(Connection& connection);
    bool add(ListenerState& listener);
    void remove(ListenerState& listener);

    void close_all();

    MutByteView network_bytes() { return network_bytes_; }

    MutByteView plain_bytes() { return plain_bytes_; }

    // Any thread: the thread ends when nothing is left to do.
    void release();

    // Written by the loop's thread, read by any.
    std::atomic<std::size_t> connections{0};
    std::atomic<std::uint64_t> bytes_received{0};
    std::atomic<std::uint64_t> bytes_sent{0};

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
    std::unordered_set<Connection*> open_;
    std::unordered_set<ListenerState*> listeners_;
    bool closed_ = false;
    std::array<std::uint8_t, kTurnBytes> network_bytes_{};
    std::array<std::uint8_t, kTurnBytes> plain_bytes_{};
};

// The Error for what a socket call reported.
Error socket_error(std::string_view operation, std::string_view peer, int number);

}  // namespace draco::io::detail
