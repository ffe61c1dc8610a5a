#include "draco/http/parser.hpp"

#include "draco/base/assert.hpp"

#include "optional_whitespace.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace draco::http {
namespace {

std::unexpected<ParseError> refuse(unsigned status, std::string what) {
    return std::unexpected(ParseError{status, std::move(what)});
}

bool is_target_char(char c) {
    return c > 0x20 && c < 0x7F;
}

std::optional<std::uint64_t> parse_number(std::string_view digits, int base) {
    std::uint64_t number = 0;
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    const auto [stop, error] = std::from_chars(begin, end, number, base);
    if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

// "HTTP/1.x": x.
Result<unsigned, ParseError> minor_version(std::string_view text) {
    if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.')
        return refuse(400, "the version is not of the form HTTP/1.1");
    if (text[5] != '1') return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    if (text[7] != '0' && text[7] != '1')
        return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return static_cast<unsigned>(text[7] - '0');
}

struct Framing {
    detail::MessageReader::Body body = detail::MessageReader::Body::None;
    std::uint64_t length = 0;
    bool is_given = false;
};

// RFC 9112 6. A message that says both lengths is an attack or a mistake, and refused.
Result<Framing, ParseError> framing_of(const Fields& fields, unsigned minor) {
    const std::size_t lengths = fields.count("Content-Length");
    const std::size_t codings = fields.count("Transfer-Encoding");
    if (codings > 0) {
        if (lengths > 0) return refuse(400, "Content-Length beside Transfer-Encoding");
        if (minor == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
        if (codings > 1 || !equals_ignoring_case(*fields.find("Transfer-Encoding"), "chunked"))
            return refuse(501, "the only transfer coding here is chunked");
        return Framing{.body = detail::MessageReader::Body::Chunked, .length = 0, .is_given = true};
    }
    if (lengths == 0) return Framing{};
    if (lengths > 1) return refuse(400, "more than one Content-Length");
    const std::string_view text = *fields.find("Content-Length");
    const auto length = parse_number(text, 10);
    if (!length) return refuse(400, "Content-Length is not a number");
    return Framing{
        .body = detail::MessageReader::Body::Length, .length = *length, .is_given = true};
}

bool keeps_alive(const Fields& fields, unsigned minor) {
    if (fields.has_token("Connection", "close")) return false;
    return minor == 1 || fields.has_token("Connection", "keep-alive");
}

}  // namespace

namespace detail {

// The bytes up to and with the line's end; nullopt if it is not there yet (all were taken).
Result<std::optional<std::size_t>, ParseError> MessageReader::read_line(ByteView bytes,
                                                                        std::size_t line_bytes_max,
                                                                        unsigned status_too_long) {
    const std::string_view text = as_text(bytes);
    std::size_t at = 0;
    if (!line_has_cr_) {
        const std::size_t feed = std::min(text.find('\n'), text.size());
        at = std::min(text.substr(0, feed).find('\r'), feed);
        if (at > line_bytes_max - line_.size())
            return refuse(status_too_long,
                          "a line of more than " + std::to_string(line_bytes_max) + " bytes");
        line_.append(text.substr(0, at));
        if (at == text.size()) return std::optional<std::size_t>();
        if (text[at] == '\n') return refuse(400, "a LF without CR");
        line_has_cr_ = true;
        ++at;
    }
    if (at == text.size()) return std::optional<std::size_t>();
    if (text[at] != '\n') return refuse(400, "a CR without LF");
    line_has_cr_ = false;
    return std::optional(at + 1);
}

Result<std::size_t, ParseError> MessageReader::read_head(ByteView bytes) {
    std::size_t taken = 0;
    while (state_ == State::StartLine || state_ == State::FieldLines) {
        const bool first = state_ == State::StartLine;
        const auto line = read_line(
            bytes.subspan(taken),
            first ? limits_.start_line_bytes_max : limits_.fields_bytes_max - fields_bytes_,
            first ? 414 : 431);
        if (!line) return std::unexpected(line.error());
        if (!*line) return bytes.size();
        taken += **line;
        if (first) {
            // RFC 9112 2.2: an empty line before the first one is let pass, once.
            if (line_.empty()) {
                if (std::exchange(skipped_empty_line_, true)) return refuse(400, "an empty line");
                continue;
            }
            head_.start_line.swap(line_);
            line_.clear();
            state_ = State::FieldLines;
        } else if (line_.empty()) {
            state_ = State::HeadDone;
        } else if (auto added = add_field(); !added) {
            return std::unexpected(added.error());
        }
    }
    return taken;
}

Result<void, ParseError> MessageReader::add_field() {
    if (head_.fields.list.size() == limits_.fields_max)
        return refuse(431, "more than " + std::to_string(limits_.fields_max) + " fields");
    fields_bytes_ += line_.size();
    if (line_.front() == ' ' || line_.front() == '\t') return refuse(400, "a folded field line");
    const std::size_t colon = line_.find(':');
    if (colon == std::string::npos) return refuse(400, "a field line without a colon");
    const std::string_view line = line_;
    if (!is_token(line.substr(0, colon))) return refuse(400, "a field name that is no token");
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return refuse(400, "a control character in a field value");
    head_.fields.add(line_.substr(0, colon), std::string(value));
    line_.clear();
    return {};
}

Result<void, ParseError> MessageReader::begin_body(Body body, std::uint64_t length) {
    if (body == detail::MessageReader::Body::Length && length > limits_.body_bytes_max)
        return refuse(413,
                      "a body of " + std::to_string(length) + " bytes; at most " +
                          std::to_string(limits_.body_bytes_max) + " are taken");
    left_ = length;
    switch (body) {
        case detail::MessageReader::Body::None:
            state_ = State::Complete;
            break;
        case detail::MessageReader::Body::Length:
            state_ = length == 0 ? State::Complete : State::Length;
            break;
        case detail::MessageReader::Body::Chunked:
            state_ = State::ChunkSize;
            break;
        case detail::MessageReader::Body::UntilEnd:
            state_ = State::UntilEnd;
            break;
    }
    return {};
}

Result<std::size_t, ParseError> MessageReader::read_body(ByteView bytes, Bytes& out) {
    std::size_t taken = 0;
    while (taken < bytes.size() && state_ != State::Complete) {
        const ByteView rest = bytes.subspan(taken);
        if (state_ == State::Length || state_ == State::UntilEnd || state_ == State::ChunkData) {
            const auto data = read_data(rest, out);
            if (!data) return data;
            taken += *data;
            continue;
        }
        const bool trailers = state_ == State::Trailers;
        const auto line = read_line(
            rest, trailers ? limits_.fields_bytes_max : limits_.chunk_line_bytes_max, 400);
        if (!line) return std::unexpected(line.error());
        if (!*line) return bytes.size();
        taken += **line;
        if (auto done = take_chunk_line(); !done) return std::unexpected(done.error());
    }
    return taken;
}

Result<std::size_t, ParseError> MessageReader::read_data(ByteView bytes, Bytes& out) {
    const std::size_t room = limits_.body_bytes_max - out.size();
    const std::size_t count =
        state_ == State::UntilEnd
            ? bytes.size()
            : static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    if (count > room)
        return refuse(413,
                      "a body of more than " + std::to_string(limits_.body_bytes_max) + " bytes");
    append(out, bytes.first(count));
    if (state_ == State::UntilEnd) return count;
    left_ -= count;
    if (left_ == 0) state_ = state_ == State::Length ? State::Complete : State::ChunkEnd;
    return count;
}

Result<void, ParseError> MessageReader::take_chunk_line() {
    const std::string line = std::exchange(line_, {});
    if (state_ == State::ChunkEnd) {
        if (!line.empty()) return refuse(400, "a chunk longer than its size");
        state_ = State::ChunkSize;
    } else if (state_ == State::Trailers) {
        // Trailers are read and dropped; together they may take what fields may.
        fields_bytes_ += line.size();
        if (fields_bytes_ > limits_.fields_bytes_max) return refuse(431, "too many trailers");
        if (line.empty()) state_ = State::Complete;
    } else {
        const std::string_view size = std::string_view(line).substr(0, line.find(';'));
        const auto length = parse_number(size, 16);
        if (!length) return refuse(400, "a chunk size that is no hexadecimal number");
        left_ = *length;
        state_ = left_ == 0 ? State::Trailers : State::ChunkData;
    }
    return {};
}

bool MessageReader::end() {
    if (state_ == State::UntilEnd) state_ = State::Complete;
    return state_ == State::Complete;
}

void MessageReader::reset() {
    state_ = State::StartLine;
    line_.clear();
    line_has_cr_ = false;
    skipped_empty_line_ = false;
    head_.start_line.clear();
    head_.fields.list.clear();
    fields_bytes_ = 0;
    left_ = 0;
}

}  // namespace detail

Result<std::size_t, ParseError> RequestParser::feed(ByteView bytes) {
    std::size_t taken = 0;
    if (!reader_.has_head()) {
        const auto head = reader_.read_head(bytes);
        if (!head) return std::unexpected(head.error());
        taken = *head;
        if (!reader_.has_head()) return taken;
        if (auto accepted = take_head(); !accepted) return std::unexpected(accepted.error());
    }
    const auto body = reader_.read_body(bytes.subspan(taken), request_.body);
    if (!body) return std::unexpected(body.error());
    if (*body > 0) expects_continue_ = false;
    return taken + *body;
}

Result<void, ParseError> RequestParser::take_head() {
    detail::Head& head = reader_.head();
    const std::string_view line = head.start_line;
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || line.contains('\0') ||
        line.find(' ', second + 1) != std::string_view::npos)
        return refuse(400, "the request line is not METHOD TARGET VERSION");
    const auto minor = minor_version(line.substr(second + 1));
    if (!minor) return std::unexpected(minor.error());
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, second - first - 1);
    if (!is_token(method)) return refuse(400, "the method is no token");
    if (target.empty() || !std::ranges::all_of(target, is_target_char))
        return refuse(400, "the target has characters that do not belong there");
    if (!target.starts_with('/') && !(target == "*" && method == "OPTIONS"))
        return refuse(400, "the target does not begin with '/'");
    const std::size_t hosts = head.fields.count("Host");
    if (hosts > 1 || (hosts == 0 && *minor == 1))
        return refuse(400, "a request has exactly one Host");
    const auto framing = framing_of(head.fields, *minor);
    if (!framing) return std::unexpected(framing.error());
    request_.method = method;
    request_.target = target;
    request_.minor_version = *minor;
    request_.keep_alive = keeps_alive(head.fields, *minor);
    request_.fields.list.swap(head.fields.list);
    expects_continue_ = *minor == 1 && request_.fields.has_token("Expect", "100-continue");
    return reader_.begin_body(framing->body, framing->length);
}

Request RequestParser::take() {
    DRACO_ASSERT(is_complete(), "a request is taken when it is complete");
    reader_.reset();
    expects_continue_ = false;
    return std::exchange(request_, {});
}

const Request& RequestParser::request() const {
    DRACO_ASSERT(is_complete(), "a request is read when it is complete");
    return request_;
}

void RequestParser::next() {
    DRACO_ASSERT(is_complete(), "a request is left when it is complete");
    reader_.reset();
    expects_continue_ = false;
    request_.fields.list.clear();
    request_.body = {};
}

Result<std::size_t, ParseError> ResponseParser::feed(ByteView bytes) {
    std::size_t taken = 0;
    while (!is_complete()) {
        if (!reader_.has_head()) {
            const auto head = reader_.read_head(bytes.subspan(taken));
            if (!head) return std::unexpected(head.error());
            taken += *head;
            if (!reader_.has_head()) return taken;
            if (auto accepted = take_head(); !accepted) return std::unexpected(accepted.error());
            if (interim_) {
                reader_.reset();
                continue;
            }
        }
        const auto body = reader_.read_body(bytes.subspan(taken), response_.body);
        if (!body) return std::unexpected(body.error());
        return taken + *body;
    }
    return taken;
}

Result<void, ParseError> ResponseParser::take_head() {
    detail::Head& head = reader_.head();
    const std::string_view line = head.start_line;
    const auto minor = minor_version(line.substr(0, 8));
    if (!minor) return std::unexpected(minor.error());
    const auto status =
        line.size() >= 12 && line[8] == ' ' ? parse_number(line.substr(9, 3), 10) : std::nullopt;
    if (!status || *status < 100 || *status > 599 || (line.size() > 12 && line[12] != ' '))
        return refuse(400, "the status line is not VERSION STATUS REASON");
    interim_ = *status < 200;
    if (interim_) {
        if (++interim_count_ > kInterimResponsesMax)
            return refuse(400, "too many interim responses");
        if (*status == 101) return refuse(400, "a protocol switch that nobody asked for");
        return {};
    }
    auto framing = framing_of(head.fields, *minor);
    if (!framing) return std::unexpected(framing.error());
    if (!framing->is_given) framing->body = detail::MessageReader::Body::UntilEnd;
    if (head_only_ || *status == 204 || *status == 304)
        framing->body = detail::MessageReader::Body::None;
    response_.status = static_cast<unsigned>(*status);
    keep_alive_ =
        keeps_alive(head.fields, *minor) && framing->body != detail::MessageReader::Body::UntilEnd;
    response_.fields = std::move(head.fields);
    return reader_.begin_body(framing->body, framing->length);
}

Result<void, ParseError> ResponseParser::end() {
    if (!reader_.end()) return refuse(502, "the response was cut off");
    return {};
}

Response ResponseParser::take() {
    DRACO_ASSERT(is_complete(), "a response is taken when it is complete");
    reader_.reset();
    interim_count_ = 0;
    return std::exchange(response_, {});
}

}  // namespace draco::http
