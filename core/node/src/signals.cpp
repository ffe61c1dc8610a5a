#include "signals.hpp"

#include <unistd.h>

#include <csignal>

namespace draco::node {
namespace {

// Sent by the process to itself when a component has failed.
constexpr int kFailureSignal = SIGUSR1;

sigset_t awaited() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, kFailureSignal);
    return set;
}

}  // namespace

Signals::Signals() {
    const sigset_t set = awaited();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

void Signals::fail_with(Error error) {
    {
        const std::lock_guard lock(mutex_);
        if (failure_) return;
        failure_ = std::move(error);
    }
    ::kill(::getpid(), kFailureSignal);
}

Result<> Signals::wait() {
    const sigset_t set = awaited();
    int signal = 0;
    while (sigwait(&set, &signal) != 0) {
    }
    const std::lock_guard lock(mutex_);
    if (failure_) return std::unexpected(*failure_);
    return {};
}

}  // namespace draco::node
