#pragma once
// Sockets and the threads that serve them. Every connection belongs to one of these threads for
// its whole life, so receivers need no locks of their own; connections are dealt to the threads in
// turn. Nothing here is global: a process may have several Networks. An idle Network uses no CPU.

#include "draco/io/stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::io {

struct NetworkOptions {
    std::string name = "net";  // threads are called net-0, net-1, ... (15 bytes at most)
    std::size_t thread_count = 1;
};

struct NetworkCounters {
    std::size_t connections = 0;  // connecting, shaking hands, open or closing
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;

    bool operator==(const NetworkCounters&) const = default;
};

struct ConnectTls {
    TlsIdentity identity;
    // Nothing: whoever answers; Stream::peer_key() tells who.
    std::optional<TlsPublicKey> expected;
};

struct ConnectOptions {
    std::string host;  // an IP address, or a name that the system's resolver knows
    std::uint16_t port = 0;
    // For resolving, trying each address in turn, and the handshake, together.
    Duration deadline = std::chrono::seconds(10);
    std::optional<ConnectTls> tls{};
    StreamOptions stream{};
};

// Makes the receiver of each accepted connection. Called on the threads of the Network, for several
// connections at the same time; destroyed on one of them, or in Network::stop, when the listener is
// closed and its last handshake over.
class Acceptor {
public:
    virtual ~Acceptor() = default;

    // The stream is through its handshake. Null refuses it: the connection is reset.
    virtual std::unique_ptr<StreamReceiver> accept(const Stream& stream) = 0;
};

struct ListenTls {
    TlsIdentity identity;
    TlsAdmit admit;
    // Open to programs without a key, such as browsers: no certificate is asked for, so `admit` is
    // not called and Stream::peer_key() tells nothing. A dialer need not name a protocol; if it
    // does, it is that of the identity or "http/1.1".
    bool anonymous = false;
};

struct ListenOptions {
    std::string address = "127.0.0.1";  // an IP address; "::" and "0.0.0.0" are all of them
    std::uint16_t port = 0;             // 0: the system chooses
    // Connections of this listener at a time, those in their handshake included. The next ones wait
    // in the system's queue until one ends, and so do all when file descriptors run out.
    std::size_t connections_max = 1024;
    // Of these, from one IPv4 address or one IPv6 /64 network. The next ones are reset at once.
    std::size_t connections_per_address_max = 1024;
    Duration handshake_deadline = std::chrono::seconds(5);
    std::optional<ListenTls> tls{};
    StreamOptions stream{};
};

struct ListenerCounters {
    std::size_t connections = 0;  // handshaking, open or closing
    std::uint64_t accepted = 0;   // connections taken from the system
    std::uint64_t opened = 0;     // of these, got a receiver
    std::uint64_t refused = 0;  // of these, ended before that: too many, handshake, admit, Acceptor
    std::uint64_t accept_pauses = 0;  // the system refused to hand one over; tried again later

    bool operator==(const ListenerCounters&) const = default;
};

namespace detail {
class ListenerState;
}  // namespace detail

// Destroying it stops listening and resets connections in their handshake. Those that are open
// stay.
class Listener {
public:
    explicit Listener(std::shared_ptr<detail::ListenerState> state) : state_(std::move(state)) {}

    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::uint16_t port() const;
    ListenerCounters counters() const;

private:
    std::shared_ptr<detail::ListenerState> state_;
};

// Thread-safe.
class Network {
public:
    // InvalidArgument for no threads; Exhausted when the system refuses a thread or descriptor.
    static Result<std::unique_ptr<Network>> start(const NetworkOptions& options);
    ~Network();  // stops
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // InvalidArgument for an address that is none of this machine, AlreadyExists for a port in use,
    // Exhausted for want of descriptors, Unavailable after stop, otherwise Io.
    Result<std::unique_ptr<Listener>> listen(const ListenOptions& options,
                                             std::unique_ptr<Acceptor> acceptor);

    // Begins to connect; the outcome is told to `receiver`, never inside this call. abort() on the
    // stream gives up. Unavailable after stop.
    Result<Stream> connect(const ConnectOptions& options, std::unique_ptr<StreamReceiver> receiver);

    // Closes every listener, resets every connection (on_close: Abandoned) and returns when the
    // threads have ended. May be called again, from any thread that is not the Network's own
    // (asserted). May wait for a name that the system's resolver is looking up.
    void stop();

    NetworkCounters counters() const;

private:
    Network() = default;

    struct Threads;
    std::unique_ptr<Threads> threads_;
};

}  // namespace draco::io
