#pragma once
// What any thread says to the thread that owns a connection: answers and pieces of bodies. What
// that thread says to itself takes no lock and no system call.

#include "draco/http/answer.hpp"

#include "gone_notice.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

namespace draco::http::detail {

struct Answered {
    ExchangeId exchange;
    Answer answer;
};

struct Delivered {
    ExchangeId exchange;
    std::uint64_t piece = 0;
    Result<SharedBytes> bytes;
};

// The handler wants to hear if nobody waits any more.
struct Watched {
    ExchangeId exchange;
    std::shared_ptr<GoneNotice> notice;
};

using InboxEvent = std::variant<Answered, Delivered, Watched>;

class Inbox {
public:
    explicit Inbox(io::FileDescriptor event_fd) : event_fd_(std::move(event_fd)) {}

    // Any thread. After close() the event is dropped.
    void post(InboxEvent event);
    // Any thread: makes the descriptor readable.
    void wake();

    int descriptor() const { return event_fd_.get(); }

    bool is_owner() const {
        return std::this_thread::get_id() == owner_.load(std::memory_order_relaxed);
    }

    // The rest, on the owner's thread.
    void become_owner() { owner_ = std::this_thread::get_id(); }

    // The descriptor is not readable afterwards.
    std::vector<InboxEvent> take_posted();

    // What the owner has posted to itself; empty most of the time.
    std::vector<InboxEvent>& own() { return own_; }

    void close();

private:
    const io::FileDescriptor event_fd_;
    std::atomic<std::thread::id> owner_;
    std::vector<InboxEvent> own_;
    std::mutex mutex_;
    std::vector<InboxEvent> posted_;
    bool is_closed_ = false;
};

}  // namespace draco::http::detail
