#include "engine_thread.hpp"

#include "listening_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace draco::http {
namespace {

constexpr int kAcceptsAtOnce = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// What an event is about: a connection, or one of these, which are no slots.
constexpr std::uint32_t kListenerSlot = ~std::uint32_t{0};
constexpr std::uint32_t kInboxSlot = kListenerSlot - 1;

std::uint64_t event_key(std::uint32_t slot, std::uint64_t serial) {
    return std::uint64_t{slot} << 32U | (serial & 0xFFFF'FFFFU);
}

std::unexpected<Error> no_descriptor(std::string_view what) {
    return fail(Errc::Exhausted,
                std::string(what) + ": " + std::generic_category().message(errno) +
                    "; raise the limit on open files (ulimit -n)");
}

// Signals are for the other threads; SIGPIPE, which sendfile raises, for nobody.
void block_signals() {
    sigset_t all{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

EngineThread::EngineThread(EngineHandler& handler,
                           const Clock& clock,
                           const EngineOptions& options,
                           Admission& admission,
                           io::FileDescriptor listener,
                           io::FileDescriptor epoll,
                           std::shared_ptr<detail::Inbox> inbox)
    : ConnectionHost(handler, options, std::move(inbox)),
      clock_(clock),
      admission_(admission),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)) {}

Result<std::unique_ptr<EngineThread>> EngineThread::create(EngineHandler& handler,
                                                           const Clock& clock,
                                                           const EngineOptions& options,
                                                           Admission& admission,
                                                           io::FileDescriptor listener) {
    io::FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (epoll.get() < 0) return no_descriptor("epoll");
    io::FileDescriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (event.get() < 0) return no_descriptor("eventfd");
    epoll_event watched{.events = EPOLLIN, .data = {.u64 = event_key(kInboxSlot, 0)}};
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &watched) != 0)
        return no_descriptor("epoll_ctl");
    auto inbox = std::make_shared<detail::Inbox>(std::move(event));
    return std::unique_ptr<EngineThread>(new EngineThread(handler,
                                                          clock,
                                                          options,
                                                          admission,
                                                          std::move(listener),
                                                          std::move(epoll),
                                                          std::move(inbox)));
}

void EngineThread::start(const std::string& name) {
    thread_ = std::thread([this, name] {
        block_signals();
        ::pthread_setname_np(::pthread_self(), name.c_str());
        run();
    });
}

void EngineThread::request_stop(Instant deadline) {
    stop_at_ = deadline.since_origin.count();
    is_stop_asked_ = true;
    inbox().wake();
}

void EngineThread::join() {
    if (thread_.joinable()) thread_.join();
}

void EngineThread::run() {
    inbox().become_owner();
    set_time(clock_.now(), clock_.unix_now());
    watch_listener(true);
    while (!is_done()) {
        wait();
        drain_if_asked();
        run_connections();
        expire();
    }
    for (const auto& connection : slots_) {
        if (!connection) continue;
        connection->reset();
        remove(*connection);
    }
    inbox().close();
}

bool EngineThread::is_done() const {
    return is_draining_ && (open_ == 0 || now().since_origin.count() >= stop_at_);
}

void EngineThread::drain_if_asked() {
    if (!is_stop_asked_ || is_draining_) return;
    is_draining_ = true;
    watch_listener(false);
    listener_ = io::FileDescriptor();
    accept_again_at_.reset();
    for (const auto& connection : slots_) {
        if (!connection) continue;
        connection->drain();
        enqueue(*connection);
    }
}

void EngineThread::wait() {
    const int count =
        ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait_ms());
    set_time(clock_.now(), clock_.unix_now());
    for (int i = 0; i < count; ++i) handle(events_[static_cast<std::size_t>(i)]);
}

int EngineThread::wait_ms() const {
    if (!runnable_.empty()) return 0;
    std::optional<Instant> first = deadlines().earliest();
    const auto consider = [&](Instant other) { first = first ? std::min(*first, other) : other; };
    if (accept_again_at_) consider(*accept_again_at_);
    if (is_draining_) consider(Instant{Duration(stop_at_)});
    if (!first) return -1;
    constexpr std::int64_t kWaitMsMax = 3'600'000;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kWaitMsMax));
}

void EngineThread::handle(const epoll_event& event) {
    const auto slot = static_cast<std::uint32_t>(event.data.u64 >> 32U);
    if (slot == kInboxSlot) return handle_inbox();
    if (slot == kListenerSlot) return accept_connections();
    // The connection may have ended since the system made this list.
    if (slot >= slots_.size() || !slots_[slot]) return;
    DeliveryConnection& connection = *slots_[slot];
    if (event_key(slot, connection.serial()) != event.data.u64) return;
    constexpr std::uint32_t kReadable = EPOLLIN | EPOLLRDHUP;
    if ((event.events & kReadable) != 0) connection.note_readable((event.events & EPOLLRDHUP) != 0);
    if ((event.events & EPOLLOUT) != 0) connection.note_writable();
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) connection.note_lost();
    enqueue(connection);
}

void EngineThread::handle_inbox() {
    for (detail::InboxEvent& event : inbox().take_posted()) apply(std::move(event));
    settle();
    if (!is_accepting_ && !is_draining_ && !accept_again_at_) watch_listener(true);
}

void EngineThread::settle() {
    while (!inbox().own().empty()) {
        settling_.swap(inbox().own());
        for (detail::InboxEvent& event : settling_) apply(std::move(event));
        settling_.clear();
    }
}

void EngineThread::apply(detail::InboxEvent event) {
    const detail::ExchangeId exchange =
        std::visit([](const auto& said) { return said.exchange; }, event);
    DeliveryConnection* const connection = find(exchange.slot, exchange.serial);
    if (auto* watched = std::get_if<detail::Watched>(&event)) {
        if (connection == nullptr) return watched->notice->gone();
        return connection->watch(exchange.number, std::move(watched->notice));
    }
    if (connection == nullptr) return;
    if (auto* answered = std::get_if<detail::Answered>(&event))
        connection->answered(exchange.number, std::move(answered->answer));
    if (auto* delivered = std::get_if<detail::Delivered>(&event))
        connection->delivered(exchange.number, delivered->piece, std::move(delivered->bytes));
    enqueue(*connection);
}

void EngineThread::enqueue(DeliveryConnection& connection) {
    if (!connection.note_queued()) return;
    runnable_.push_back(&connection);
}

void EngineThread::run_connections() {
    running_.swap(runnable_);
    for (DeliveryConnection* const connection : running_) {
        connection->work();
        connection->note_begun();
        if (connection->is_over()) {
            remove(*connection);
        } else if (connection->wants_turn()) {
            enqueue(*connection);
        }
        settle();
    }
    running_.clear();
    admit_to_room();
}

void EngineThread::admit_to_room() {
    while (const PieceRoom::Place* const place = room().admit()) enqueue(place->connection());
    counters().body_bytes.set(room().bytes());
}

void EngineThread::expire() {
    while (const Timer* const timer = deadlines().take_due(now())) {
        timer->connection().expired(timer->what());
        enqueue(timer->connection());
    }
    if (!accept_again_at_ || *accept_again_at_ > now()) return;
    accept_again_at_.reset();
    watch_listener(true);
}

// While nobody is let in, the system's queue holds those who come.
void EngineThread::watch_listener(bool watched) {
    if (std::exchange(is_accepting_, watched) == watched) return;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = event_key(kListenerSlot, 0)}};
    ::epoll_ctl(epoll_.get(), watched ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_.get(), &event);
}

void EngineThread::accept_connections() {
    for (int i = 0; i < kAcceptsAtOnce && is_accepting_; ++i)
        if (!accept_one()) return;
}

bool EngineThread::accept_one() {
    if (!admission_.enter()) {
        watch_listener(false);
        return false;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    io::FileDescriptor socket(::accept4(listener_.get(),
                                        reinterpret_cast<sockaddr*>(&address),
                                        &size,
                                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    const int number = errno;
    if (socket.get() < 0) {
        admission_.leave();
        if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM) {
            counters().accept_pauses.add();
            accept_again_at_ = now() + kAcceptPause;
            watch_listener(false);
        }
        // Other errors are those of connections that have gone while they were queued.
        return number != EAGAIN && number != EWOULDBLOCK && is_accepting_;
    }
    counters().accepted.add();
    add(std::move(socket), peer_of(address));
    return true;
}

void EngineThread::add(io::FileDescriptor socket, const Peer& peer) {
    const int fd = socket.get();
    auto transport = std::make_unique<SocketTransport>(std::move(socket));
    if (!admission_.enter_client(peer.network())) {
        transport->reset();
        counters().refused.add();
        admission_.leave();
        return;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (free_slots_.empty()) {
        free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    const std::uint64_t serial = next_serial_++;
    slots_[slot] =
        std::make_unique<DeliveryConnection>(*this, std::move(transport), peer, slot, serial);
    ++open_;
    counters().connections.add();
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                      .data = {.u64 = event_key(slot, serial)}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return;
    slots_[slot]->reset();
    enqueue(*slots_[slot]);
}

void EngineThread::remove(const DeliveryConnection& connection) {
    const std::uint32_t slot = connection.slot();
    const std::uint64_t network = connection.peer().network();
    slots_[slot].reset();
    free_slots_.push_back(slot);
    --open_;
    counters().connections.subtract(1);
    admission_.leave_client(network);
    admission_.leave();
}

DeliveryConnection* EngineThread::find(std::uint32_t slot, std::uint64_t serial) const {
    if (slot >= slots_.size() || !slots_[slot] || slots_[slot]->serial() != serial) return nullptr;
    return slots_[slot].get();
}

}  // namespace draco::http
