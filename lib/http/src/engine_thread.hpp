#pragma once
// One thread of the engine: its listening socket, its epoll, its connections.

#include "draco/http/engine.hpp"

#include "admission.hpp"
#include "deadlines.hpp"
#include "delivery_connection.hpp"
#include "inbox.hpp"

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace draco::http {

class EngineThread final : public ConnectionHost {
public:
    // Exhausted, Io. `admission` is shared by the threads of the engine.
    static Result<std::unique_ptr<EngineThread>> create(EngineHandler& handler,
                                                        const Clock& clock,
                                                        const EngineOptions& options,
                                                        Admission& admission,
                                                        io::FileDescriptor listener);

    void start(const std::string& name);  // throws std::system_error
    // Any thread, once. Connections with nothing under way end at once, the others by `deadline`.
    void request_stop(Instant deadline);
    void join();

    // Any thread: there is room for a connection that was left waiting.
    void wake() const { inbox().wake(); }

    bool is_this_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

    // Any thread.
    const ThreadCounters& counts() const { return counters_; }

    void settle() override;
    void enqueue(DeliveryConnection& connection) override;

private:
    EngineThread(EngineHandler& handler,
                 const Clock& clock,
                 const EngineOptions& options,
                 Admission& admission,
                 io::FileDescriptor listener,
                 io::FileDescriptor epoll,
                 std::shared_ptr<detail::Inbox> inbox);

    void run();
    void wait();
    int wait_ms() const;
    void handle(const epoll_event& event);
    void handle_inbox();
    void apply(detail::InboxEvent event);
    void run_connections();
    void admit_to_room();
    void expire();
    void drain_if_asked();
    bool is_done() const;

    void watch_listener(bool watched);
    void accept_connections();
    bool accept_one();
    void add(io::FileDescriptor socket, const Peer& peer);
    void remove(const DeliveryConnection& connection);
    DeliveryConnection* find(std::uint32_t slot, std::uint64_t serial) const;

    static constexpr std::size_t kEventsMax = 256;

    const Clock& clock_;
    Admission& admission_;
    io::FileDescriptor listener_;
    io::FileDescriptor epoll_;
    std::array<epoll_event, kEventsMax> events_{};
    std::vector<std::unique_ptr<DeliveryConnection>> slots_;
    std::vector<std::uint32_t> free_slots_;
    std::uint64_t next_serial_ = 1;
    std::size_t open_ = 0;
    std::vector<DeliveryConnection*> runnable_;
    std::vector<DeliveryConnection*> running_;
    std::vector<detail::InboxEvent> settling_;
    bool is_accepting_ = false;
    std::optional<Instant> accept_again_at_;  // descriptors ran out
    std::atomic<bool> is_stop_asked_ = false;
    std::atomic<Duration::rep> stop_at_{0};
    bool is_draining_ = false;
    std::thread thread_;
};

}  // namespace draco::http
