#include "draco/consensus_bench/bench.hpp"
#include "draco/io/file_descriptor.hpp"

#include "transaction_layout.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace draco::consensus_bench {
namespace {

constexpr auto kBurstEvery = std::chrono::milliseconds(2);
constexpr std::uint64_t kBurstsPerSecond = 500;
// What a busy validator did not take in time is not made up for.
constexpr std::uint64_t kBehindMax = 50;  // bursts

Result<io::FileDescriptor> dial(std::uint16_t port) {
    io::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0)
        return fail(Errc::Exhausted, std::string("cannot make a socket: ") + std::strerror(errno));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail(Errc::Unavailable,
                    "no validator on port " + std::to_string(port) + ": " + std::strerror(errno));
    return socket;
}

bool write_all(int socket, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

bool parent_is_there() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, 0) == 0;
}

}  // namespace

Result<> run_client(std::uint16_t port, std::uint64_t rate_per_s, std::size_t transaction_bytes) {
    DRACO_TRY(socket, dial(port));
    const std::size_t frame = kFrameHeaderBytes + transaction_bytes;
    Bytes burst;
    std::uint64_t sequence = 0;
    std::uint64_t bursts = 0;
    auto next = std::chrono::steady_clock::now();
    while (parent_is_there()) {
        // Of rate / bursts that is no whole number, the rest comes with a later burst.
        const std::uint64_t due =
            (bursts + 1) * rate_per_s / kBurstsPerSecond - bursts * rate_per_s / kBurstsPerSecond;
        burst.resize(due * frame);
        const std::uint64_t now = monotonic_us();
        for (std::uint64_t i = 0; i < due; ++i, ++sequence) {
            std::uint8_t* const at = burst.data() + i * frame;
            store_le<std::uint32_t>(at, static_cast<std::uint32_t>(transaction_bytes));
            store_le<std::uint64_t>(at + kFrameHeaderBytes + kSentAt, now);
            store_le<std::uint64_t>(at + kFrameHeaderBytes + kSequenceAt, sequence);
        }
        if (!write_all(socket.get(), burst)) return {};
        ++bursts;
        next += kBurstEvery;
        const auto present = std::chrono::steady_clock::now();
        const std::chrono::steady_clock::duration behind_max = kBurstEvery * kBehindMax;
        next = std::max(next, present - behind_max);
        std::this_thread::sleep_until(next);
    }
    return {};
}

}  // namespace draco::consensus_bench
