#pragma once
// What a service answers with: a status and fields (RFC 9110), then a body that is in memory or is
// pulled piece by piece.

#include "draco/base/result.hpp"
#include "draco/sdk/piece.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace draco::sdk {

// Of one answer.
inline constexpr std::size_t kAnswerFieldsMax = 64;
inline constexpr std::size_t kAnswerFieldsBytesMax = std::size_t{16} << 10;
// What one piece of a body may take in memory.
inline constexpr std::size_t kPieceBytesMax = std::size_t{1} << 20;

struct Field {
    std::string name;   // a token (RFC 9110 5.6.2)
    std::string value;  // without control characters but the tab

    bool operator==(const Field&) const = default;
};

struct BodyShape {
    std::uint64_t bytes = 0;            // of all pieces together: Content-Length
    std::uint64_t pieces = 0;           // 1..bytes, or 0 if there are no bytes
    std::uint64_t piece_bytes_max = 0;  // what one takes in memory, at least its bytes

    bool operator==(const BodyShape&) const = default;
};

// A body whose bytes come from somewhere else. The node owns it, calls it on one thread, and
// destroys it there when all is sent or the client has gone: that is how a service learns that it
// is cancelled. None of its functions blocks or throws.
class Body {
public:
    virtual ~Body() = default;

    // Constant.
    virtual BodyShape shape() const = 0;

    // There is no room for a piece now: what is held for the next one may be let go and made again.
    virtual void let_go() {}

    // Called once for each piece, in order: this is the back-pressure. The next pieces are asked
    // for before earlier ones are there, a few of them, and as the client takes what was sent.
    // `callback` may be called at once or later, for one piece before or after another; none is
    // empty. It may be called, and is not heard, when the body has been destroyed. The head is gone
    // by now, so that an error can only end the connection.
    virtual void pull(PieceCallback callback) = 0;
};

// The node adds what is the same for every service: Date, Content-Length, Connection,
// X-Content-Type-Options: nosniff, and the CORS fields, which let any page read any answer. An
// answer that has one of these (or Keep-Alive, Trailer, Transfer-Encoding, Upgrade), or is beyond
// a bound or not well-formed, is replaced by a 500.
//
// HEAD is answered as GET is, with the same body: only its length is used, nothing is pulled. There
// is no body with 204 and 304.
struct Answer {
    unsigned status = 200;  // 200..599
    std::vector<Field> fields{};
    std::variant<Piece, std::unique_ptr<Body>> body{};
};

// The promise of one answer: called at most once, by any thread, also when the client or the node
// has gone, which nobody hears of. Dropped without a call: 500.
using AnswerCallback = std::move_only_function<void(Answer)>;

// One line for a person, in UTF-8, with a line end; not to be stored by caches.
Answer text_answer(unsigned status, std::string text);

// Foreign text as it may stand in a line for people: control characters become '?'.
std::string printable(std::string_view text);

}  // namespace draco::sdk
