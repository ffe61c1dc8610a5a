// Messages are read as RFC 9112 says, whatever two parsers might read differently is refused with
// the right status, and how the bytes are split changes nothing.

#include "draco/http/parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace draco::http {
namespace {

struct Outcome {
    std::vector<Request> requests;
    unsigned refused = 0;  // status; 0: none
    bool begun = false;    // another message has
};

// Reads everything, in pieces that end at `cuts`.
Outcome read(std::string_view text,
             const std::vector<std::size_t>& cuts,
             const ParseLimits& limits = {}) {
    RequestParser parser(limits);
    Outcome outcome;
    std::size_t from = 0;
    std::vector<std::size_t> ends = cuts;
    ends.push_back(text.size());
    for (const std::size_t end : ends) {
        ByteView piece = as_bytes(text.substr(from, end - from));
        from = end;
        while (!piece.empty()) {
            const auto taken = parser.feed(piece);
            if (!taken) {
                outcome.refused = taken.error().status;
                EXPECT_FALSE(taken.error().what.empty());
                return outcome;
            }
            EXPECT_LE(*taken, piece.size());
            piece = piece.subspan(*taken);
            if (parser.is_complete()) {
                outcome.requests.push_back(parser.take());
            } else if (!piece.empty()) {
                ADD_FAILURE() << "an incomplete request takes all bytes";
                return outcome;
            }
        }
    }
    outcome.begun = parser.has_begun();
    return outcome;
}

void expect_same(const Outcome& a, const Outcome& b) {
    EXPECT_EQ(a.requests, b.requests);
    EXPECT_EQ(a.refused, b.refused);
    EXPECT_EQ(a.begun, b.begun);
}

// In one piece; then in two, cut everywhere, and in single bytes, with the same result.
Outcome read_every_way(std::string_view text, const ParseLimits& limits = {}) {
    const Outcome whole = read(text, {}, limits);
    for (std::size_t cut = 1; cut < text.size(); ++cut)
        expect_same(read(text, {cut}, limits), whole);
    std::vector<std::size_t> all;
    for (std::size_t cut = 1; cut < text.size(); ++cut) all.push_back(cut);
    expect_same(read(text, all, limits), whole);
    return whole;
}

unsigned refusal(std::string_view text, const ParseLimits& limits = {}) {
    return read_every_way(text, limits).refused;
}

std::string post(std::string_view fields, std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

TEST(RequestParser, ReadsOneAfterTheOther) {
    const Outcome outcome = read_every_way(
        "\r\nGET /a?b=c HTTP/1.1\r\nHost: h:1\r\nX:  y z\t\r\n\r\n"
        "POST /p HTTP/1.1\r\nhost: h\r\nContent-Length: 3\r\n\r\nabc"
        "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "3;ext=1\r\nabc\r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
        "OPTIONS * HTTP/1.0\r\n\r\n");
    EXPECT_EQ(outcome.refused, 0U);
    EXPECT_FALSE(outcome.begun);
    ASSERT_EQ(outcome.requests.size(), 4U);
    EXPECT_EQ(outcome.requests[0].target, "/a?b=c");
    EXPECT_EQ(outcome.requests[0].fields.find("x"), "y z");
    EXPECT_TRUE(outcome.requests[0].keep_alive);
    EXPECT_EQ(as_text(outcome.requests[1].body), "abc");
    EXPECT_EQ(as_text(outcome.requests[2].body), "abc0123456789");
    EXPECT_EQ(outcome.requests[2].fields.count("Trailer"), 0U);
    EXPECT_EQ(outcome.requests[3].minor_version, 0U);
    EXPECT_FALSE(outcome.requests[3].keep_alive);
}

TEST(RequestParser, RefusesWhatLetsRequestsBeSmuggled) {
    const std::vector<std::pair<std::string, unsigned>> cases = {
        {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400},
        {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
        {post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
        {post("Content-Length: 3, 3\r\n", "abc"), 400},
        {post("Content-Length: +3\r\n", "abc"), 400},
        {post("Content-Length: -3\r\n", "abc"), 400},
        {post("Content-Length: 0x3\r\n", "abc"), 400},
        {post("Content-Length: 3 3\r\n", "abc"), 400},
        {post("Content-Length:\r\n", ""), 400},
        {post("Content-Length: 99999999999999999999999\r\n", ""), 400},
        {post("Content-Length : 3\r\n", "abc"), 400},
        {post("Transfer-Encoding: gzip, chunked\r\n", ""), 501},
        {post("Transfer-Encoding: identity\r\n", ""), 501},
        {post("Transfer-Encoding: chunked, chunked\r\n", ""), 501},
        {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""), 501},
        {post("Transfer-Encoding: \x0b"
              "chunked\r\n",
              ""),
         400},
        {post("Transfer-Encoding\t: chunked\r\n", ""), 400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {post("X: a\r\n b\r\n", ""), 400},
        {post("X: a\r\n\tb\r\n", ""), 400},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {post("X: a\rY: b\r\n", ""), 400},
        {post("X: a\nY: b\r\n", ""), 400},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {post(std::string("X: a\0b\r\n", 8), ""), 400},
        {post("X: a\x7f\r\n", ""), 400},
        {post("no colon\r\n", ""), 400},
        {post(": no name\r\n", ""), 400},
        {post("Na me: x\r\n", ""), 400},
        {post("Host: b\r\n", ""), 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {post("Transfer-Encoding: chunked\r\n", "g\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "-1\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "0x1\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", " 1\r\na\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "1 \r\na\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "1\na\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "1\r\nab\r\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "1\r\na\n"), 400},
        {post("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n"), 400},
    };
    for (const auto& [text, status] : cases) EXPECT_EQ(refusal(text), status) << text;
}

TEST(RequestParser, RefusesMalformedRequestLines) {
    const std::vector<std::pair<std::string, unsigned>> cases = {
        {"GET /\r\n", 400},
        {"GET  / HTTP/1.1\r\n", 400},
        {"GET / HTTP/1.1 \r\n", 400},
        {" GET / HTTP/1.1\r\n", 400},
        {"G@T / HTTP/1.1\r\n", 400},
        {"GET /a b HTTP/1.1\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\n", 400},
        {"GET /\xc3\xa4 HTTP/1.1\r\n", 400},
        {"GET * HTTP/1.1\r\n", 400},
        {"GET a HTTP/1.1\r\n", 400},
        {"GET / http/1.1\r\n", 400},
        {"GET / HTTP/11\r\n", 400},
        {"GET / HTTP/2.0\r\n", 505},
        {"PRI * HTTP/2.0\r\n", 505},
        {"\r\n\r\n", 400},
    };
    for (const auto& [line, status] : cases)
        EXPECT_EQ(refusal(line + "Host: a\r\n\r\n"), status) << line;
}

TEST(RequestParser, HoldsItsBounds) {
    const ParseLimits limits{.start_line_bytes_max = 32,
                             .fields_bytes_max = 64,
                             .fields_max = 3,
                             .body_bytes_max = 8,
                             .chunk_line_bytes_max = 8};
    EXPECT_EQ(refusal("GET /23456789012345678 HTTP/1.1\r\nHost: a\r\n\r\n", limits), 0U);
    EXPECT_EQ(refusal("GET /2345678901234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits), 414U);
    EXPECT_EQ(refusal(std::string(1000, 'x'), limits), 414U);
    EXPECT_EQ(refusal(post("X: " + std::string(64, 'x') + "\r\n", ""), limits), 431U);
    EXPECT_EQ(refusal(post("A:\r\nB:\r\n", ""), limits), 0U);
    EXPECT_EQ(refusal(post("A:\r\nB:\r\nC:\r\n", ""), limits), 431U);
    EXPECT_EQ(refusal(post("Content-Length: 8\r\n", "12345678"), limits), 0U);
    EXPECT_EQ(refusal(post("Content-Length: 9\r\n", ""), limits), 413U);
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(refusal(post(chunked, "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n"), limits), 0U);
    EXPECT_EQ(refusal(post(chunked, "4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n"), limits), 413U);
    EXPECT_EQ(refusal(post(chunked, "1;23456789\r\n"), limits), 400U);
    EXPECT_EQ(
        refusal(post(chunked,
                     "0\r\n" + std::string(30, 'x') + "\r\n" + std::string(30, 'y') + "\r\n\r\n"),
                limits),
        431U);
}

TEST(RequestParser, SaysWhenTheSenderWaits) {
    RequestParser parser;
    ASSERT_TRUE(parser.feed(as_bytes(post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""))));
    EXPECT_TRUE(parser.expects_continue());
    ASSERT_TRUE(parser.feed(as_bytes("a")));
    EXPECT_FALSE(parser.expects_continue());
    ASSERT_TRUE(parser.feed(as_bytes("b")));
    EXPECT_TRUE(parser.is_complete());
}

TEST(RequestParser, KnowsWhetherTheConnectionGoesOn) {
    const auto keep_alive = [](const std::string& text) {
        return read(text, {}).requests.at(0).keep_alive;
    };
    EXPECT_TRUE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_FALSE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"));
    EXPECT_TRUE(keep_alive("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"));
}

// The status and body of a response that ends with its bytes, or "refused", or "cut off".
std::string read_response(std::string_view text, bool head_only = false, std::size_t step = 1000) {
    ResponseParser parser({.body_bytes_max = 16}, head_only);
    while (!text.empty() && !parser.is_complete()) {
        const std::string_view piece = text.substr(0, step);
        const auto taken = parser.feed(as_bytes(piece));
        if (!taken) return "refused";
        text.remove_prefix(*taken);
        if (*taken < piece.size() && !parser.is_complete()) return "stuck";
    }
    if (!parser.end()) return "cut off";
    const Response response = parser.take();
    return std::to_string(response.status) + " " + std::string(as_text(response.body)) + "|" +
           std::string(text);
}

TEST(ResponseParser, EndsWhereTheMessageEnds) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    std::string interim;
    for (std::size_t i = 0; i < kInterimResponsesMax; ++i)
        interim += "HTTP/1.1 103 \r\nA: b\r\n\r\n";
    for (const std::size_t step : {1UL, 2UL, 7UL, 1000UL}) {
        const auto read = [&](const std::string& text, bool head_only = false) {
            return read_response(text, head_only, step);
        };
        EXPECT_EQ(read(ok + "Content-Length: 2\r\n\r\nabc"), "200 ab|c");
        EXPECT_EQ(read(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nc"), "200 ab|c");
        EXPECT_EQ(read(ok + "\r\nabc"), "200 abc|");
        EXPECT_EQ(read(ok + "Content-Length: 2\r\n\r\nc", true), "200 |c");
        EXPECT_EQ(read("HTTP/1.1 204\r\n\r\nc"), "204 |c");
        EXPECT_EQ(read("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\nc"), "304 |c");
        EXPECT_EQ(read(interim + ok + "Content-Length: 1\r\n\r\na"), "200 a|");
        EXPECT_EQ(read("HTTP/1.1 103 \r\n\r\n" + interim + ok + "\r\n"), "refused");
        EXPECT_EQ(read(ok + "Content-Length: 2\r\n\r\na"), "cut off");
        EXPECT_EQ(read(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"), "cut off");
        EXPECT_EQ(read(ok), "cut off");
        EXPECT_EQ(read(""), "cut off");
        EXPECT_EQ(read(ok + "\r\n" + std::string(17, 'x')), "refused");
        EXPECT_EQ(read(ok + "Content-Length: 17\r\n\r\n"), "refused");
        EXPECT_EQ(read(ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), "refused");
        for (const char* line : {"HTTP/1.1 101 \r\n",
                                 "HTTP/1.1 99 x\r\n",
                                 "HTTP/1.1 2000 x\r\n",
                                 "HTTP/1.1 600 x\r\n",
                                 "HTTP/1.1200 OK\r\n",
                                 "HTTP/2.0 200 OK\r\n",
                                 "ICY 200 OK\r\n",
                                 "x\r\n"})
            EXPECT_EQ(read(std::string(line) + "\r\n"), "refused") << line;
    }
}

TEST(Target, IsDecodedOnce) {
    EXPECT_EQ(parse_target("/a%2Fb%20%25c?q=%20"), (Target{"/a/b %c", "q=%20"}));
    EXPECT_EQ(parse_target("/"), (Target{"/", ""}));
    for (const char* bad : {"", "*", "a", "/%", "/%2", "/%zz", "/%00"})
        EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(Date, IsThatOfTheStandard) {
    EXPECT_EQ(http_date({784'111'777'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date({0}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date({951'782'400'000}), "Tue, 29 Feb 2000 00:00:00 GMT");
    EXPECT_TRUE(http_date({~0ULL}).ends_with(" GMT"));
}

}  // namespace
}  // namespace draco::http
