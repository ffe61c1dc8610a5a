// Over real connections, what this service sends is exactly what the content source has, as HTTP
// says, while it arrives.

#include "draco/testing/seed.hpp"

#include "cdn_fixture.hpp"

#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace draco::cdn {
namespace {

TEST_F(CdnOverHttp, SendsAFileWithEverythingThatCachesNeed) {
    start();
    std::mt19937_64 random(testing::test_seed(21));
    Client client = connect();
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kBlock, kBlock + 1, 5 * kBlock + 77}) {
        const Bytes bytes = random_bytes(random, size);
        const types::ContentHash hash = source_.add_file(bytes);
        for (const std::string& path : {b3(hash), "/services/0/blake3/" + to_hex(hash.view())}) {
            const Response response = client.get(path + "?a=b");
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.body, bytes);
            EXPECT_EQ(field(response, "ETag"), "\"" + to_hex(hash.view()) + "\"");
            EXPECT_EQ(field(response, "Content-Length"), std::to_string(size));
            EXPECT_EQ(field(response, "Cache-Control"), "public, max-age=29030400, immutable");
            EXPECT_EQ(field(response, "Accept-Ranges"), "bytes");
            EXPECT_EQ(field(response, "Content-Type"), "application/octet-stream");
            EXPECT_EQ(field(response, "X-Content-Type-Options"), "nosniff");
            EXPECT_EQ(field(response, "Access-Control-Allow-Origin"), "*");
            EXPECT_TRUE(field(response, "Access-Control-Expose-Headers").contains("Content-Range"));
            // RFC 9110 9.3.2: the same fields, and Range means nothing.
            const Response head = client.ask("HEAD", path, "Range: bytes=0-0\r\n");
            EXPECT_EQ(head.status, 200U);
            EXPECT_TRUE(head.body.empty());
            EXPECT_EQ(field(head, "Content-Length"), std::to_string(size));
            EXPECT_EQ(field(head, "ETag"), field(response, "ETag"));
        }
    }
}

TEST_F(CdnOverHttp, HoldsItselfToConditions) {
    start();
    const types::ContentHash hash = source_.add_file(text("0123456789"));
    const std::string etag = "\"" + to_hex(hash.view()) + "\"";
    Client client = connect();
    for (const std::string method : {"GET", "HEAD"}) {
        const Response same =
            client.ask(method, b3(hash), "If-None-Match: \"x\", W/" + etag + "\r\n");
        EXPECT_EQ(same.status, 304U);
        EXPECT_TRUE(same.body.empty());
        // RFC 9110 15.4.5.
        EXPECT_EQ(field(same, "ETag"), etag);
        EXPECT_TRUE(field(same, "Cache-Control").contains("immutable"));
        EXPECT_EQ(field(same, "Content-Length"), "(none)");
        const Response other = client.ask(method, b3(hash), "If-Match: W/" + etag + "\r\n");
        EXPECT_EQ(other.status, 412U);
    }
    EXPECT_EQ(client.get(b3(hash), "If-Match: " + etag + "\r\n").status, 200U);
    const std::string range = "Range: bytes=1-2\r\n";
    EXPECT_EQ(body_of(client.get(b3(hash), range + "If-Range: " + etag + "\r\n")), "12");
    EXPECT_EQ(body_of(client.get(b3(hash), range + "If-Range: \"x\"\r\n")), "0123456789");
    EXPECT_EQ(client.get(b3(hash), range + "If-None-Match: *\r\n").status, 304U);
    EXPECT_EQ(source_.reads(), 3U);  // no block for what has no body
}

TEST_F(CdnOverHttp, AnswersRangesOfEveryKind) {
    start();
    const types::ContentHash hash = source_.add_file(text("0123456789"));
    Client client = connect();
    const auto get = [&](const std::string& range) {
        return client.get(b3(hash), "Range: " + range + "\r\n");
    };
    const Response one = get("bytes=2-4");
    EXPECT_EQ(one.status, 206U);
    EXPECT_EQ(body_of(one), "234");
    EXPECT_EQ(field(one, "Content-Range"), "bytes 2-4/10");
    EXPECT_EQ(field(one, "Content-Type"), "application/octet-stream");
    EXPECT_EQ(body_of(get("bytes=-3")), "789");
    EXPECT_EQ(body_of(get("bytes=7-")), "789");
    const Response none = get("bytes=10-");
    EXPECT_EQ(none.status, 416U);
    EXPECT_EQ(field(none, "Content-Range"), "bytes */10");
    EXPECT_EQ(get("pages=1-2").status, 200U);
    EXPECT_EQ(client.ask("HEAD", b3(hash), "Range: bytes=99-\r\n").status, 200U);
}

struct Part {
    std::string content_range;
    std::string body;
};

// RFC 9110 14.6, read by another's rules than those that wrote it: by the lengths in Content-Range.
std::vector<Part> parts_of(const Response& response) {
    std::vector<Part> parts;
    const std::string type = field(response, "Content-Type");
    const std::string prefix = "multipart/byteranges; boundary=";
    EXPECT_TRUE(type.starts_with(prefix)) << type;
    const std::string delimiter = "--" + type.substr(prefix.size());
    std::string rest = "\r\n" + body_of(response);
    while (true) {
        EXPECT_TRUE(rest.starts_with("\r\n" + delimiter)) << rest.substr(0, 100);
        rest.erase(0, 2 + delimiter.size());
        if (rest == "--\r\n") return parts;
        const std::size_t end = rest.find("\r\n\r\n");
        const std::size_t range = rest.find("\r\nContent-Range: ");
        if (end == std::string::npos || range >= end) {
            ADD_FAILURE() << rest.substr(0, 100);
            return parts;
        }
        Part part;
        const std::size_t begin = range + std::string("\r\nContent-Range: ").size();
        part.content_range = rest.substr(begin, rest.find("\r\n", begin) - begin);
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        EXPECT_EQ(std::sscanf(part.content_range.c_str(), "bytes %lu-%lu/", &first, &last), 2);
        part.body = rest.substr(end + 4, last - first + 1);
        rest.erase(0, end + 4 + part.body.size());
        parts.push_back(std::move(part));
    }
}

// Model: slices of the content.
TEST_F(CdnOverHttp, RangesAreSlicesOfTheContent) {
    start();
    std::mt19937_64 random(testing::test_seed(22));
    const Bytes bytes = random_bytes(random, 4 * kBlock + 12'345);
    const types::ContentHash hash = source_.add_file(bytes);
    const std::string all(as_text(bytes));
    Client client = connect();
    // Ends are near the ends of blocks, often.
    const auto place = [&] {
        std::uint64_t at = random() % bytes.size();
        if (random() % 2 == 0) at = (at / kBlock) * kBlock + random() % 5;
        return std::min<std::uint64_t>(at > 2 ? at - 2 : at, bytes.size() - 1);
    };
    for (std::uint64_t round = 0; round < testing::scaled(150); ++round) {
        std::string ranges;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> asked;
        for (std::uint64_t i = 0; i < 1 + round % 4; ++i) {
            const auto [first, last] = std::minmax({place(), place()});
            asked.emplace_back(first, last);
            ranges += (i == 0 ? "" : ", ") + std::to_string(first) + "-" + std::to_string(last);
        }
        const Response response = client.get(b3(hash), "Range: bytes=" + ranges + "\r\n");
        ASSERT_EQ(response.status, 206U) << ranges;
        std::vector<Part> parts;
        if (response.fields.find("Content-Range")) {
            parts.push_back({field(response, "Content-Range"), body_of(response)});
        } else {
            parts = parts_of(response);
        }
        ASSERT_FALSE(parts.empty());
        std::string sent(all.size(), '\0');
        std::vector<bool> has(all.size(), false);
        for (const Part& part : parts) {
            std::uint64_t first = 0;
            std::uint64_t last = 0;
            std::uint64_t size = 0;
            ASSERT_EQ(
                std::sscanf(part.content_range.c_str(), "bytes %lu-%lu/%lu", &first, &last, &size),
                3);
            EXPECT_EQ(size, all.size());
            ASSERT_TRUE(part.body == all.substr(first, last - first + 1)) << ranges;
            std::fill(has.begin() + static_cast<std::ptrdiff_t>(first),
                      has.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                      true);
        }
        for (const auto& [first, last] : asked)
            for (std::uint64_t at = first; at <= last; ++at) ASSERT_TRUE(has[at]) << ranges;
    }
}

TEST_F(CdnOverHttp, SendsWhileContentArrives) {
    start({.engine = {.pieces_in_flight_max = 3}, .limits = unlimited()});
    std::mt19937_64 random(testing::test_seed(23));
    const Bytes bytes = random_bytes(random, 20 * kBlock + 5);
    const types::ContentHash hash = source_.add_file(bytes);
    source_.hold_blocks(hash, 2);
    Client client = connect();
    client.send("GET", b3(hash));
    client.wait_bytes(2 * kBlock);
    EXPECT_GE(client.unread(), 2 * kBlock);
    EXPECT_LT(client.unread(), 2 * kBlock + 1'000);
    while (source_.held() < 3) std::this_thread::yield();
    EXPECT_EQ(source_.reads(), 5U);  // two that came, three ahead
    source_.release();
    EXPECT_EQ(client.receive().value().body, bytes);
}

TEST_F(CdnOverHttp, AContentThatFailsLaterIsCutOff) {
    start();
    const types::ContentHash hash = source_.add_file(Bytes(10 * kBlock));
    source_.fail_blocks(hash, 7, Errc::NotFound);
    Client client = connect();
    client.send("GET", b3(hash));
    EXPECT_FALSE(client.receive());
    EXPECT_EQ(gateway_->counters().http.cut_off, 1U);
    Client other = connect();
    EXPECT_EQ(other.get(b3(hash), "Range: bytes=0-99\r\n").status, 206U);
    EXPECT_EQ(other.get(b3(hash), "Range: bytes=-1\r\n").status, 404U);
}

TEST_F(CdnOverHttp, FailuresBecomeTheirStatus) {
    start();
    const std::vector<std::tuple<Errc, unsigned, std::string>> cases = {
        {Errc::NotFound, 404, "nobody this node can reach has it"},
        {Errc::DeadlineExceeded, 504, "did not arrive in time"},
        {Errc::Exhausted, 503, "too much to do"},
        {Errc::Unavailable, 503, "not serving now"},
        {Errc::Corrupt, 503, "will be fetched anew"},
        {Errc::Io, 500, "planted"},
    };
    Client client = connect();
    for (const auto& [code, status, said] : cases) {
        const auto by_open = source_.add_file(text("open " + std::to_string(status) + said));
        const auto by_read = source_.add_file(text("read " + std::to_string(status) + said));
        source_.fail_open(by_open, code);
        source_.fail_blocks(by_read, 0, code);
        const auto in_directory = source_.add_directory({link_to("x", by_open)});
        for (const std::string& target : {b3(by_open), b3(by_read), b3(in_directory, "/x")}) {
            const Response response = client.get(target);
            EXPECT_EQ(response.status, status) << target;
            EXPECT_TRUE(body_of(response).contains(said)) << body_of(response);
            EXPECT_EQ(field(response, "Retry-After") != "(none)", status == 503U);
        }
    }
}

TEST_F(CdnOverHttp, MethodsAndPreflight) {
    start();
    const types::ContentHash hash = source_.add_file(text("x"));
    Client client = connect();
    for (const std::string method : {"PUT", "DELETE", "PATCH", "TRACE", "get"}) {
        const Response response = client.ask(method, b3(hash));
        EXPECT_EQ(response.status, 405U);
        EXPECT_EQ(field(response, "Allow"), "GET, HEAD, OPTIONS");
    }
    for (const std::string& target : {b3(hash), std::string("*")}) {
        const Response preflight = client.ask("OPTIONS", target, "Origin: https://a.example\r\n");
        EXPECT_EQ(preflight.status, 204U);
        EXPECT_EQ(field(preflight, "Access-Control-Allow-Origin"), "*");
        EXPECT_EQ(field(preflight, "Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
        EXPECT_TRUE(field(preflight, "Access-Control-Allow-Headers").contains("Range"));
    }
}

TEST_F(CdnOverHttp, EndsWithRequestsUnderWay) {
    start();
    const types::ContentHash hash = source_.add_file(Bytes(10 * kBlock));
    source_.hold_blocks(hash, 0);
    Client first = connect();
    first.send("GET", b3(hash));
    while (source_.held() < 1) std::this_thread::yield();
    const types::ContentHash begun = source_.add_file(Bytes(10 * kBlock, 1));
    source_.hold_blocks(begun, 1);
    Client second = connect();
    second.send("GET", b3(begun));
    while (source_.held() < 5) std::this_thread::yield();
    gateway_.reset();
    source_.release();
    EXPECT_FALSE(first.receive());
    EXPECT_FALSE(second.receive());
}

}  // namespace
}  // namespace draco::cdn
