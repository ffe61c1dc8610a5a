#pragma once
// One connection to a node: whole messages in and out, in bounded memory.

#include "draco/io/network.hpp"
#include "draco/types/session.hpp"

#include <memory>
#include <optional>

namespace draco::client {

class Inbox;

// One thread at a time, except what the Network does behind it.
class Connection {
public:
    // Returns when the TLS handshake is over. Errors: those of StreamReceiver::on_close.
    static Result<Connection> open(io::Network& network, const io::ConnectOptions& options);
    ~Connection();
    Connection(Connection&&) noexcept = default;
    Connection& operator=(Connection&&) = delete;

    // The key that the node has proved to hold.
    types::NodeKey key() const;
    Result<> send(const types::session::ClientMessage& message) const;
    // The next message. DeadlineExceeded after `patience`; otherwise why the connection ended.
    Result<Bytes> next(Duration patience) const;

private:
    explicit Connection(std::shared_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {}

    std::shared_ptr<Inbox> inbox_;
};

}  // namespace draco::client
