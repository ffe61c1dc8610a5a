#include "event_loop.hpp"

#include "connection.hpp"
#include "listener.hpp"

#include <pthread.h>

#include <vector>

namespace draco::io::detail {

EventLoop::EventLoop() : work_(context_.get_executor()) {}

void EventLoop::start(const std::string& thread_name) {
    constexpr std::size_t kNameBytesMax = 15;
    thread_ = std::thread([this, name = thread_name.substr(0, kNameBytesMax)] {
        pthread_setname_np(pthread_self(), name.c_str());
        context_.run();
    });
}

void EventLoop::join() {
    if (thread_.joinable()) thread_.join();
}

void EventLoop::release() {
    work_.reset();
}

bool EventLoop::add(Connection& connection) {
    if (closed_) return false;
    open_.insert(&connection);
    connections = open_.size();
    return true;
}

void EventLoop::remove(Connection& connection) {
    open_.erase(&connection);
    connections = open_.size();
}

bool EventLoop::add(ListenerState& listener) {
    if (!closed_) listeners_.insert(&listener);
    return !closed_;
}

void EventLoop::remove(ListenerState& listener) {
    listeners_.erase(&listener);
}

void EventLoop::close_all() {
    closed_ = true;
    // Both erase themselves from the sets, and a receiver may end what else it holds.
    while (!listeners_.empty()) (*listeners_.begin())->close();
    while (!open_.empty()) (*open_.begin())->shut({Errc::Abandoned, "the network was stopped"});
}

Error socket_error(std::string_view operation, std::string_view peer, int number) {
    const bool exhausted =
        number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
    std::string text(operation);
    if (!peer.empty()) text += " " + std::string(peer);
    text += ": " + std::generic_category().message(number);
    if (exhausted) text += "; raise the limit on open files (ulimit -n) or allow fewer connections";
    return {exhausted ? Errc::Exhausted : Errc::Unavailable, std::move(text)};
}

}  // namespace draco::io::detail
