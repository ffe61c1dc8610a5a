#pragma once
// The bytes of one connection, without waiting: all that the engine knows of what is under HTTP.

#include "draco/base/bytes.hpp"
#include "draco/io/file_descriptor.hpp"

#include <sys/uio.h>

#include <cstdint>
#include <span>

namespace draco::http {

struct Transfer {
    enum class Status : std::uint8_t {
        Some,     // `bytes` of them, at least one
        Blocked,  // not now: epoll will tell
        Ended,    // the peer has ended, or the file is shorter than was said
        Failed,   // the connection is lost
    };

    Status status = Status::Failed;
    std::size_t bytes = 0;
};

class Transport {
public:
    virtual ~Transport() = default;
    virtual Transfer read(MutByteView into) = 0;
    // `more` follows at once: a packet may wait for it.
    virtual Transfer write(std::span<const iovec> from, bool more) = 0;
    virtual Transfer send_file(int file, std::uint64_t offset, std::size_t bytes) = 0;
    // Of what was written, what the peer's system has not acknowledged.
    virtual std::uint64_t unacknowledged_bytes() = 0;
    // No more will be written; the peer hears of it after what was.
    virtual void end() = 0;
    // The connection is dropped when this is destroyed, with what the peer has not taken.
    virtual void reset() = 0;
};

class SocketTransport final : public Transport {
public:
    // A connected socket that does not block.
    explicit SocketTransport(io::FileDescriptor socket) : socket_(std::move(socket)) {}

    Transfer read(MutByteView into) override;
    Transfer write(std::span<const iovec> from, bool more) override;
    Transfer send_file(int file, std::uint64_t offset, std::size_t bytes) override;
    std::uint64_t unacknowledged_bytes() override;
    void end() override;
    void reset() override;

private:
    io::FileDescriptor socket_;
};

}  // namespace draco::http
