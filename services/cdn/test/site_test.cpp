// A directory is a site: pages, links, listings, and what is said where something is missing.

#include "cdn_fixture.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

namespace draco::cdn {
namespace {

class SiteOverHttp : public CdnOverHttp {
protected:
    SiteOverHttp() {
        const auto page = source_.add_file(text("<h1>page</h1>"));
        const auto style = source_.add_file(text("h1{}"));
        const auto sub = source_.add_directory(
            {link_to("page.html", page), symlink_to("style.css", "../style.css")});
        listed_ = source_.add_directory({link_to("a\"<b>&.txt", style),
                                         link_to("http:x", style),
                                         link_to("\xE2\x82\xAC 1", page),
                                         symlink_to("up", "../<x>")});
        many_ = source_.add_directory([&] {
            std::vector<types::DirectoryEntry> entries;
            for (int i = 0; i < 1500; ++i)
                entries.push_back(link_to("file" + std::to_string(i), page));
            return entries;
        }());
        root_ = source_.add_directory({link_to("index.html", page),
                                       link_to("style.css", style),
                                       link_to("sub", sub),
                                       link_to("list", listed_),
                                       link_to("many", many_),
                                       symlink_to("out", "../../etc/passwd"),
                                       symlink_to("out-and-back", "../style.css"),
                                       symlink_to("absolute", "/style.css"),
                                       symlink_to("round", "round")});
    }

    types::ContentHash root_;
    types::ContentHash listed_;
    types::ContentHash many_;
};

TEST_F(SiteOverHttp, ServesASite) {
    start();
    Client client = connect();
    const Response index = client.get(b3(root_, "/"));
    EXPECT_EQ(body_of(index), "<h1>page</h1>");
    EXPECT_EQ(field(index, "Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(field(client.get(b3(root_, "/sub/page.html")), "ETag"), field(index, "ETag"));
    const Response style = client.get(b3(root_, "/sub/style.css"));
    EXPECT_EQ(body_of(style), "h1{}");
    EXPECT_EQ(field(style, "Content-Type"), "text/css; charset=utf-8");
    for (const std::string path : {"", "/sub", "/list"}) {
        const Response moved = client.get(b3(root_, path + "?q=/x"));
        EXPECT_EQ(moved.status, 301U);
        EXPECT_EQ(field(moved, "Location"), b3(root_, path + "/?q=/x"));
        EXPECT_EQ(client.ask("HEAD", b3(root_, path)).status, 301U);
    }
    EXPECT_EQ(body_of(client.get(b3(root_, "/list/%E2%82%AC%201"))), "<h1>page</h1>");
}

TEST_F(SiteOverHttp, SaysWhatIsMissingWhere) {
    start();
    Client client = connect();
    const std::vector<std::tuple<std::string, unsigned, std::string>> cases = {
        {b3(root_, "/sub/none/x"), 404, "there is no 'none' in '/sub'\n"},
        {b3(root_, "/style.css/"), 404, "'style.css' is a file: ask for it without the '/'"},
        {b3(root_, "/out"), 404, "'out' leads out of the content"},
        {b3(root_, "/out-and-back"), 404, "'out-and-back' leads out of the content"},
        {b3(root_, "/absolute"), 404, "'absolute' leads out of the content"},
        {b3(root_, "/sub/../style.css"), 400, "resolve it before asking"},
        {b3(root_, "/sub/.%2E/style.css"), 400, "resolve it before asking"},
        {b3(root_, "/sub/..%2fstyle.css"), 400, "encoded '/'"},
        {b3(root_, "/sub//style.css"), 400, "empty segment"},
        {b3(root_, "/round"), 404, "more than 16 symbolic links"},
        {b3(root_, "/%2e%2e/x"), 400, "resolve it before asking"},
        {b3(root_, "/a%2fb"), 400, "encoded '/'"},
        {"/b3/12", 400, "expected 64 hex digits, got 2"},
        {"/", 404, "/services/0/blake3/<hash>/<path>, where <hash> is the BLAKE3 address"},
        {"/services/0/x", 404, "this service has nothing at /x, only /blake3/<hash>/<path>"},
        {b3(types::ContentHash{}), 404, "nobody this node can reach has it"},
        {b3(root_, "/" + std::string(9000, 'a')), 414, "a line of more than"},
    };
    for (const auto& [target, status, said] : cases) {
        const Response response = client.get(target);
        EXPECT_EQ(response.status, status) << target;
        EXPECT_TRUE(body_of(response).contains(said)) << body_of(response);
        EXPECT_TRUE(body_of(response).ends_with("\n"));
        EXPECT_EQ(field(response, "Content-Type"), "text/plain; charset=utf-8");
        EXPECT_EQ(field(response, "Cache-Control"), "no-store");
        EXPECT_EQ(field(response, "X-Content-Type-Options"), "nosniff");
    }
}

TEST_F(SiteOverHttp, ListsDirectoriesWithoutAnIndex) {
    start();
    Client client = connect();
    const Response list = client.get(b3(root_, "/list/"));
    EXPECT_EQ(list.status, 200U);
    const std::string page = body_of(list);
    EXPECT_TRUE(page.contains("<a href=\"../\">"));
    EXPECT_TRUE(page.contains("<a href=\"./a%22%3Cb%3E%26.txt\">a&quot;&lt;b&gt;&amp;.txt</a>"));
    EXPECT_TRUE(page.contains("<a href=\"./http%3Ax\">http:x</a>"));
    EXPECT_TRUE(page.contains("<a href=\"./%E2%82%AC%201\">\xE2\x82\xAC 1</a>"));
    EXPECT_TRUE(page.contains(">up</a> &rarr; ../&lt;x&gt;"));
    EXPECT_FALSE(field(list, "Cache-Control").contains("immutable"));
    EXPECT_TRUE(field(list, "Content-Security-Policy").starts_with("default-src 'none'"));
    EXPECT_EQ(field(list, "Content-Type"), "text/html; charset=utf-8");
    EXPECT_FALSE(body_of(client.get(b3(listed_, "/"))).contains("../\">"));
    const std::string etag = field(list, "ETag");
    EXPECT_EQ(client.get(b3(root_, "/list/"), "If-None-Match: " + etag + "\r\n").status, 304U);
    EXPECT_EQ(client.get(b3(root_, "/list/"), "If-Match: \"x\"\r\n").status, 412U);
    const std::string many = body_of(client.get(b3(many_, "/")));
    EXPECT_TRUE(many.contains("and 500 more entries"));
    EXPECT_TRUE(many.contains(">file0<") && many.contains(">file1499<"));
    EXPECT_FALSE(many.contains(">file999<"));  // the last one by its name
}

// Standard output of curl.
std::string curl(const std::string& arguments) {
    // NOLINTNEXTLINE(cert-env33-c,bugprone-command-processor): a fixed command line of this test.
    std::FILE* const pipe = ::popen(("curl -s --max-time 60 " + arguments).c_str(), "r");
    if (pipe == nullptr) return "no pipe";
    std::string output;
    std::array<char, 4096> piece{};
    while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
        output.append(piece.data(), count);
    ::pclose(pipe);
    return output;
}

TEST_F(SiteOverHttp, CurlUnderstandsIt) {
    // NOLINTNEXTLINE(cert-env33-c,bugprone-command-processor): looks for a program.
    if (std::system("command -v curl >/dev/null") != 0) GTEST_SKIP() << "there is no curl";
    start();
    const std::string url = "http://127.0.0.1:" + std::to_string(gateway_->port());
    EXPECT_EQ(curl("-L " + url + b3(root_)), "<h1>page</h1>");
    EXPECT_EQ(curl("-r 1-2 " + url + b3(root_, "/style.css")), "1{");
    EXPECT_EQ(
        curl("-o /dev/null -w '%{http_code} %{size_download}' -I " + url + b3(root_, "/style.css")),
        "200 0");
    EXPECT_EQ(curl("--http1.0 " + url + b3(root_, "/style.css")), "h1{}");
    EXPECT_EQ(curl("--path-as-is -o /dev/null -w '%{http_code}' " + url + b3(root_, "/../x")),
              "400");
    EXPECT_EQ(curl("-d x -H 'Expect: 100-continue' -o /dev/null -w '%{http_code}' " + url +
                   b3(root_, "/")),
              "405");
    const types::ContentHash big = source_.add_file(Bytes(8 * kBlock + 1, 'x'));
    EXPECT_EQ(curl("-C 2097000 " + url + b3(big)).size(), 8 * kBlock + 1 - 2'097'000);
}

}  // namespace
}  // namespace draco::cdn
