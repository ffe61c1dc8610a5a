#pragma once
// What one connection has to send: heads and small bodies copied together into one buffer, then at
// most one body that is not copied.

#include "draco/http/answer.hpp"

#include "transport.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace draco::http {

// A body in memory up to this is copied behind its head, which costs less than an entry in a vector
// of buffers and a counted reference.
inline constexpr std::size_t kCopiedBodyBytesMax = 4 << 10;

class Outgoing {
public:
    explicit Outgoing(std::size_t pieces_max) : pieces_max_(pieces_max) {}

    // Heads are appended here. Precondition: no body waits.
    std::string& buffer() { return buffer_; }

    // After the head. A small body in memory goes into the buffer.
    void add_body(Body body);

    std::size_t buffered_bytes() const { return buffer_.size() - buffer_sent_; }

    bool has_body() const { return body_left_ > 0; }

    bool empty() const { return buffer_sent_ == buffer_.size() && !has_body(); }

    // The body that has room for one more piece, and that piece's number.
    struct Want {
        PullBody& body;
        std::uint64_t piece;
    };

    std::optional<Want> next_want();
    bool wants_piece() const;

    std::uint64_t piece_bytes_max() const { return piece_bytes_max_; }

    // What the body takes in memory: all of one in memory, the pieces asked for and not sent.
    std::uint64_t held_bytes() const;
    // A pulled body waits for room.
    void let_go();
    // False if the pieces are not what the body said they would be.
    bool put_piece(std::uint64_t number, SharedBytes bytes);

    enum class Outcome : std::uint8_t {
        Sent,     // all
        Blocked,  // the peer takes no more for now
        Starved,  // the next piece is not there yet
        Paused,   // `bytes_max` are sent, and others wait for their turn
        Failed,   // the connection is lost
        CutOff,   // the file or the producer gave less than the head says
    };

    struct Progress {
        Outcome outcome = Outcome::Failed;
        std::uint64_t bytes = 0;
    };

    Progress flush(Transport& transport, std::uint64_t bytes_max);

private:
    static constexpr std::size_t kVectorsMax = 8;

    struct Gathered {
        std::array<iovec, kVectorsMax> vectors{};
        std::size_t count = 0;

        void add(ByteView bytes);
    };

    Gathered gather() const;
    Transfer send_some(Transport& transport);
    void took(std::size_t bytes);
    void took_pieces(std::size_t bytes);
    void finish_body();
    bool is_starved() const;
    bool is_cut_off() const;

    const std::size_t pieces_max_;
    std::string buffer_;
    std::size_t buffer_sent_ = 0;
    Body body_;
    std::uint64_t body_left_ = 0;  // not sent yet
    // Of a PullBody: a ring of those asked for and not sent.
    std::vector<std::optional<SharedBytes>> pieces_;
    std::uint64_t piece_bytes_max_ = 0;
    std::uint64_t pieces_asked_ = 0;
    std::uint64_t pieces_sent_ = 0;
    std::uint64_t pieces_bytes_ = 0;    // that came and are not sent
    std::size_t front_bytes_sent_ = 0;  // of the first of them
};

}  // namespace draco::http
