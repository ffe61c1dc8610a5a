#pragma once
// What the engine (engine.hpp) sends: a status, field lines, and a body that is in memory, in a
// file, or still arriving.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/io/file_descriptor.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace draco::http {

// Field lines as they go over the wire: made once, sent with any number of answers. The engine adds
// Date, Content-Length and Connection. Value type.
class FieldBlock {
public:
    // A name that is no token, or a value with a control character, spoils the block: what has it
    // is answered with a 500, so that no value can begin a line of its own.
    FieldBlock& add(std::string_view name, std::string_view value);

    std::string_view text() const { return text_; }

    bool is_well_formed() const { return is_well_formed_; }

private:
    std::string text_;
    bool is_well_formed_ = true;
};

// Immutable bytes and what keeps them alive (nothing, for bytes that live as long as the program).
struct SharedBytes {
    std::shared_ptr<const void> owner;
    ByteView bytes;
};

SharedBytes share(std::string text);
SharedBytes share(std::shared_ptr<const Bytes> bytes);

// Bytes of a file that is open for reading. A file that turns out shorter ends the connection.
struct FileRegion {
    std::shared_ptr<const io::FileDescriptor> file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

namespace detail {

class Inbox;
class GoneNotice;

// Which connection of which thread, and which of its requests.
struct ExchangeId {
    std::uint32_t slot = 0;
    std::uint64_t serial = 0;
    std::uint64_t number = 0;

    bool operator==(const ExchangeId&) const = default;
};

}  // namespace detail

// The promise of one piece. Move-only; used by any thread, also after the connection or the engine
// has gone, which nobody hears of. Destroyed without deliver(): Abandoned.
class PieceReply {
public:
    PieceReply(std::shared_ptr<detail::Inbox> inbox,
               const detail::ExchangeId& exchange,
               std::uint64_t piece)
        : inbox_(std::move(inbox)), exchange_(exchange), piece_(piece) {}

    PieceReply(PieceReply&&) noexcept = default;

    // The promise that was here lives and ends with `other`.
    PieceReply& operator=(PieceReply&& other) noexcept {
        inbox_.swap(other.inbox_);
        std::swap(exchange_, other.exchange_);
        std::swap(piece_, other.piece_);
        return *this;
    }

    ~PieceReply();

    // Once. The head is gone by now, so an error can only end the connection.
    void deliver(Result<SharedBytes> bytes);

private:
    std::shared_ptr<detail::Inbox> inbox_;
    detail::ExchangeId exchange_;
    std::uint64_t piece_;
};

// A body whose bytes come from somewhere else, one piece after the other. Destroyed by the engine,
// on its thread, when the body is sent or the connection ends.
class PullBody {
public:
    virtual ~PullBody() = default;
    // Of the whole body: what Content-Length says. Constant.
    virtual std::uint64_t bytes() const = 0;
    // The number of pieces. Constant; at least 1 if there are bytes.
    virtual std::uint64_t pieces() const = 0;
    // What one piece takes in memory at most: at least its bytes. Constant.
    virtual std::uint64_t piece_bytes_max() const = 0;

    // There is no room for a piece now: what is held for the next one may be let go and made again.
    virtual void let_go() {}

    // Called once for each piece, in order, on the engine's thread; must not block. The next ones
    // are asked for before earlier ones are there, up to EngineOptions::pieces_in_flight_max that
    // are not sent yet, and as the engine has room. They may come in any order. All pieces together
    // have bytes() bytes.
    virtual void pull(PieceReply reply) = 0;
};

// Empty SharedBytes are no body. A body is given for HEAD as for GET: the engine sends only its
// length.
using Body = std::variant<SharedBytes, FileRegion, std::unique_ptr<PullBody>>;

std::uint64_t body_bytes(const Body& body);

struct Answer {
    unsigned status = 200;                            // 200..599
    std::shared_ptr<const FieldBlock> shared_fields;  // or nothing
    FieldBlock fields;                                // of this answer alone
    Body body;                                        // not sent with 204 and 304
};

// An answer of text for a person. UTF-8.
Answer text_answer(unsigned status, std::string text);

}  // namespace draco::http
