#include "load_bench.hpp"

#include "draco/io/file_descriptor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>
#include <vector>

namespace draco::http::bench {
namespace {

io::FileDescriptor connect_to(std::uint16_t port) {
    io::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        return {};
    return socket;
}

void send_request(int socket, const std::string& request) {
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        give_up("sending a request");
}

// Of the whole first answer.
std::size_t answer_bytes(int socket, const std::string& request) {
    send_request(socket, request);
    std::string head;
    std::size_t seen = 0;
    std::array<char, 65536> buffer{};
    std::size_t total = 0;
    while (total == 0 || seen < total) {
        const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (count <= 0) give_up("reading the first answer");
        seen += static_cast<std::size_t>(count);
        if (total > 0) continue;
        head.append(buffer.data(), static_cast<std::size_t>(count));
        const std::size_t end = head.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        if (!head.starts_with("HTTP/1.1 200 ")) give_up("the answer is no 200");
        constexpr std::string_view kLength = "\r\nContent-Length: ";
        const std::size_t at = head.find(kLength);
        std::size_t body = 0;
        std::from_chars(head.data() + at + kLength.size(), head.data() + end, body);
        total = end + 4 + body;
    }
    return total;
}

// A process of /proc: nanoseconds on a processor, over all its threads.
double own_cpu_ns(const std::filesystem::path& process) {
    double sum = 0;
    for (const auto& task : std::filesystem::directory_iterator(process / "task")) {
        double ns = 0;
        std::ifstream(task.path() / "schedstat") >> ns;
        sum += ns;
    }
    return sum;
}

pid_t parent_of(const std::filesystem::path& process) {
    std::ifstream file(process / "stat");
    const std::string stat((std::istreambuf_iterator<char>(file)), {});
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > stat.size()) return 0;
    return static_cast<pid_t>(std::strtol(stat.c_str() + name_end + 4, nullptr, 10));
}

}  // namespace

void give_up(const char* what) {
    std::fprintf(stderr, "http bench: %s failed\n", what);
    std::abort();
}

void load(std::uint16_t port, const std::string& target, int connections, int requests) {
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const io::FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
    std::vector<io::FileDescriptor> sockets;
    std::vector<std::size_t> left(static_cast<std::size_t>(connections));
    std::size_t answer = 0;
    for (int i = 0; i < connections; ++i) {
        sockets.push_back(connect_to(port));
        if (sockets.back().get() < 0) give_up("connecting");
        answer = answer_bytes(sockets.back().get(), request);
        epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint64_t>(i)}};
        if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, sockets.back().get(), &event) != 0)
            give_up("epoll");
    }
    int begun = 0;
    int done = 0;
    for (; begun < connections; ++begun) {
        send_request(sockets[static_cast<std::size_t>(begun)].get(), request);
        left[static_cast<std::size_t>(begun)] = answer;
    }
    std::array<epoll_event, 64> events{};
    while (done < begun) {
        const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            const std::size_t at = events[static_cast<std::size_t>(i)].data.u64;
            // The bytes are dropped by the system, without a copy.
            const ssize_t got =
                ::recv(sockets[at].get(), nullptr, left[at], MSG_TRUNC | MSG_DONTWAIT);
            if (got <= 0) give_up("reading an answer");
            left[at] -= static_cast<std::size_t>(got);
            if (left[at] > 0) continue;
            ++done;
            if (begun >= requests) continue;
            ++begun;
            left[at] = answer;
            send_request(sockets[at].get(), request);
        }
    }
}

double cpu_ns(pid_t process) {
    double sum = own_cpu_ns("/proc/" + std::to_string(process));
    for (const auto& other : std::filesystem::directory_iterator("/proc")) {
        const bool is_process = std::isdigit(other.path().filename().string().front()) != 0;
        if (is_process && parent_of(other.path()) == process) sum += own_cpu_ns(other.path());
    }
    return sum;
}

std::uint16_t free_port() {
    const io::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        give_up("finding a port");
    return ntohs(address.sin_port);
}

void wait_for_listener(std::uint16_t port) {
    while (connect_to(port).get() < 0) std::this_thread::yield();
}

}  // namespace draco::http::bench
