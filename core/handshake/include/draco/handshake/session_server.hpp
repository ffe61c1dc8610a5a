#pragma once
// Client sessions: content for those who pay by acknowledging, and a little for those who do not.
// TLS 1.3 with the node's key as certificate; inside it messages with a length in front, or
// WebSocket. docs/formats/session.md is the contract with clients, docs/decisions/020 says why.

#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/base/rng.hpp"
#include "draco/handshake/session_limits.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/interfaces/delivery.hpp"
#include "draco/io/network.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace draco::handshake {

struct SessionServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 4221;  // 0: the system chooses
    types::ChainId chain{};
    SessionLimits limits{};
    // Of each session, in the transport; twice as much may wait behind it.
    std::size_t send_bytes_max = std::size_t{512} << 10;
};

// What a server stands on. All of it outlives the server.
struct SessionServerParts {
    io::Network& network;  // its threads encrypt what is delivered
    Executor& executor;    // content is read in its tasks, which may block on the disk
    Rng& rng;              // cryptographically strong; one thread at a time uses it
    interfaces::ContentSource& source;
    interfaces::Acknowledgements& acknowledgements;
    // Made with the node's key and types::session::kAlpn.
    const io::TlsIdentity& identity;
};

// Thread-safe. Memory: for each session about 40 KiB, and while it is sent to, send_bytes_max and
// limits.reads_max blocks.
class SessionServer {
public:
    // Errors: those of io::Network::listen.
    static Result<std::unique_ptr<SessionServer>> start(const SessionServerParts& parts,
                                                        const SessionServerOptions& options);
    // Resets all sessions. Returns when no part is being called. Not from a callback of one.
    ~SessionServer();
    SessionServer(const SessionServer&) = delete;
    SessionServer& operator=(const SessionServer&) = delete;

    std::uint16_t port() const;
    SessionCounters counters() const;

    class State;

private:
    SessionServer() = default;

    std::shared_ptr<State> state_;
    std::unique_ptr<io::Listener> listener_;
};

}  // namespace draco::handshake
