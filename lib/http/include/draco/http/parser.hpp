#pragma once
// HTTP/1.1 messages out of bytes as they arrive (RFC 9112), without I/O.
//
// Strict, because what two parsers read differently is a way in (request smuggling): lines end with
// CRLF; no white space before a colon, no folded lines, no bare CR or NUL; Content-Length is one
// number of digits, and never beside Transfer-Encoding; the only transfer coding is chunked; a
// request of HTTP/1.1 has exactly one Host. How the bytes are split over calls changes nothing.
//
// Memory: at most the limits' sum, for one message. Not thread-safe.

#include "draco/base/result.hpp"
#include "draco/http/message.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace draco::http {

// Interim responses (1xx) in front of one response.
inline constexpr std::size_t kInterimResponsesMax = 8;

namespace detail {

struct Head {
    std::string start_line;
    Fields fields;
};

// The parts that requests and responses share: head, then a body of a known length, in chunks, or
// until the end.
class MessageReader {
public:
    explicit MessageReader(const ParseLimits& limits) : limits_(limits) {}

    enum class Body : std::uint8_t { None, Length, Chunked, UntilEnd };

    // Reads up to the end of the head.
    Result<std::size_t, ParseError> read_head(ByteView bytes);

    bool has_head() const { return state_ != State::StartLine && state_ != State::FieldLines; }

    Head& head() { return head_; }

    Result<void, ParseError> begin_body(Body body, std::uint64_t length);
    Result<std::size_t, ParseError> read_body(ByteView bytes, Bytes& out);
    // The other side ends. False if that cuts the message off.
    bool end();

    bool is_complete() const { return state_ == State::Complete; }

    // Whether any byte of a message was seen.
    bool has_begun() const { return state_ != State::StartLine || !line_.empty(); }

    void reset();

private:
    enum class State : std::uint8_t {
        StartLine,
        FieldLines,
        HeadDone,
        Length,
        UntilEnd,
        ChunkSize,
        ChunkData,
        ChunkEnd,
        Trailers,
        Complete,
    };

    Result<std::optional<std::size_t>, ParseError> read_line(ByteView bytes,
                                                             std::size_t line_bytes_max,
                                                             unsigned status_too_long);
    Result<void, ParseError> add_field();
    Result<void, ParseError> take_chunk_line();
    Result<std::size_t, ParseError> read_data(ByteView bytes, Bytes& out);

    ParseLimits limits_;
    State state_ = State::StartLine;
    std::string line_;  // without its CRLF, once complete
    bool line_has_cr_ = false;
    bool skipped_empty_line_ = false;
    Head head_;
    std::size_t fields_bytes_ = 0;
    std::uint64_t left_ = 0;
};

}  // namespace detail

class RequestParser {
public:
    explicit RequestParser(const ParseLimits& limits = {}) : reader_(limits) {}

    // Takes bytes up to the end of one request; returns how many. After an error the connection is
    // of no use any more.
    Result<std::size_t, ParseError> feed(ByteView bytes);

    bool is_complete() const { return reader_.is_complete(); }

    // The head is there, the body is not, and the client waits to be told to send it.
    bool expects_continue() const { return expects_continue_ && !is_complete(); }

    // Head and body, each once per request.
    bool has_head() const { return reader_.has_head(); }

    bool has_begun() const { return reader_.has_begun(); }

    // Precondition (asserted): is_complete(). The parser is ready for the next request.
    Request take();

    // The same in two steps, for who has no use for the request afterwards: its memory serves the
    // next one.
    const Request& request() const;
    void next();

private:
    Result<void, ParseError> take_head();

    detail::MessageReader reader_;
    Request request_;
    bool expects_continue_ = false;
};

class ResponseParser {
public:
    // `head_only`: the answer to HEAD, which has no body whatever it says.
    explicit ResponseParser(const ParseLimits& limits = {}, bool head_only = false)
        : reader_(limits), head_only_(head_only) {}

    // As RequestParser. Interim responses (1xx) are skipped.
    Result<std::size_t, ParseError> feed(ByteView bytes);
    // The server ends. An error if that cuts the response off.
    Result<void, ParseError> end();

    bool is_complete() const { return reader_.is_complete(); }

    // Whether the connection may carry another exchange.
    bool keep_alive() const { return keep_alive_; }

    Response take();

private:
    Result<void, ParseError> take_head();

    detail::MessageReader reader_;
    Response response_;
    bool head_only_;
    bool keep_alive_ = true;
    bool interim_ = false;
    std::size_t interim_count_ = 0;
};

}  // namespace draco::http
