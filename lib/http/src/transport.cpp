#include "transport.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>

namespace draco::http {
namespace {

template <class Call>
Transfer transfer(const Call& call) {
    while (true) {
        const ssize_t count = call();
        if (count > 0)
            return {.status = Transfer::Status::Some, .bytes = static_cast<std::size_t>(count)};
        if (count == 0) return {.status = Transfer::Status::Ended, .bytes = 0};
        if (errno == EINTR) continue;
        const bool blocked = errno == EAGAIN || errno == EWOULDBLOCK;
        return {.status = blocked ? Transfer::Status::Blocked : Transfer::Status::Failed,
                .bytes = 0};
    }
}

}  // namespace

Transfer SocketTransport::read(MutByteView into) {
    return transfer([&] { return ::recv(socket_.get(), into.data(), into.size(), 0); });
}

Transfer SocketTransport::write(std::span<const iovec> from, bool more) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    return transfer(
        [&] { return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0)); });
}

// SIGPIPE is blocked on the engine's threads.
Transfer SocketTransport::send_file(int file, std::uint64_t offset, std::size_t bytes) {
    auto at = static_cast<off_t>(offset);
    return transfer([&] { return ::sendfile(socket_.get(), file, &at, bytes); });
}

std::uint64_t SocketTransport::unacknowledged_bytes() {
    int bytes = 0;
    if (::ioctl(socket_.get(), SIOCOUTQ, &bytes) != 0) return 0;
    return static_cast<std::uint64_t>(bytes);
}

void SocketTransport::end() {
    ::shutdown(socket_.get(), SHUT_WR);
}

void SocketTransport::reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace draco::http
