// A target names one address and one path, or is refused with the reason; nothing traverses.

#include "../src/content_path.hpp"

#include "draco/base/text_encoding.hpp"

#include "../src/content_type.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace draco::cdn {
namespace {

using Segments = std::vector<std::string>;

const std::string& hex() {
    static const std::string kHex =
        "AF1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    return kHex;
}

std::string below(const std::string& path) {
    return "/blake3/" + hex() + path;
}

TEST(ContentPath, NamesAddressAndSegments) {
    const std::vector<std::pair<std::string, Segments>> cases = {
        {"", {}},
        {"/", {}},
        {"/a", {"a"}},
        {"/a/b.css?x=/../y", {"a", "b.css"}},
        {"?a=b/", {}},
        {"/a%20b/", {"a b"}},
        {"/%E2%82%AC/\xE2\x82\xAC", {"€", "€"}},
        {"/..a/.b/...", {"..a", ".b", "..."}},
        {"/%FF%25", {"\xFF%"}},
        {"/a+b&c=d", {"a+b&c=d"}},
        {"/a\\b%5C", {"a\\b\\"}},
        // Decoded once: these are odd names, and lead nowhere else.
        {"/%252e%252e/%252Fa", {"%2e%2e", "%2Fa"}},
        {"/..%20/.%20", {".. ", ". "}},
        {"/%C0%AE%C0%AE/%EF%BC%8F", {"\xC0\xAE\xC0\xAE", "\xEF\xBC\x8F"}},
    };
    for (const auto& [path, segments] : cases) {
        const auto parsed = parse_content_path(below(path));
        ASSERT_TRUE(parsed) << path;
        EXPECT_EQ(parsed->segments, segments) << path;
        EXPECT_EQ(to_hex(parsed->root.view()).substr(0, 8), "af1349b9");
        const std::string without_query = path.substr(0, path.find('?'));
        EXPECT_EQ(parsed->has_slash_at_end, without_query.ends_with('/')) << path;
    }
}

TEST(ContentPath, RefusesWhatNamesNone) {
    const std::vector<std::pair<std::string, std::pair<unsigned, std::string>>> cases = {
        {"/", {404, "only /blake3/<hash>/<path>"}},
        {"*", {404, "only /blake3/<hash>/<path>"}},
        {"/blake3", {404, "only /blake3/<hash>/<path>"}},
        {"/blake3/", {400, "expected 64 hex digits, got 0"}},
        {"/blake3/" + hex() + "0", {400, "got 65"}},
        {"/blake3/" + hex().substr(1) + "g", {400, "is no content address"}},
        {"/blake3/%61" + hex().substr(1), {400, "got 66"}},
        {"/BLAKE3/" + hex(), {404, "has nothing at /BLAKE3/"}},
        {"/b3/" + hex(), {404, "has nothing at /b3/"}},
        {below("//a"), {400, "empty segment"}},
        {below("/a//"), {400, "empty segment"}},
        {below("/."), {400, "'.'"}},
        {below("/a/../b"), {400, "'..'"}},
        {below("/%2e%2E/b"), {400, "'..'"}},
        {below("/.%2e"), {400, "'..'"}},
        {below("/.."), {400, "'..'"}},
        {below("/a/%2E./"), {400, "'..'"}},
        {below("/%2e/a"), {400, "'.'"}},
        {below("/../" + hex() + "/a"), {400, "'..'"}},
        {below("/a///b"), {400, "empty segment"}},
        {below("/a%2F"), {400, "encoded '/'"}},
        {below("/%2F"), {400, "encoded '/'"}},
        {below("/a%2fb"), {400, "encoded '/'"}},
        {below("/a%2F..%2Fb"), {400, "encoded '/'"}},
        {below("/a%00"), {400, "zero byte"}},
        {below("/a%"), {400, "two hex digits"}},
        {below("/a%1"), {400, "two hex digits"}},
        {below("/a%1x"), {400, "two hex digits"}},
    };
    for (const auto& [target, expected] : cases) {
        const auto parsed = parse_content_path(target);
        ASSERT_FALSE(parsed) << target;
        EXPECT_EQ(parsed.error().status, expected.first) << target;
        EXPECT_TRUE(parsed.error().text.contains(expected.second)) << parsed.error().text;
    }
}

TEST(ContentPath, BoundsItsSegments) {
    std::string path;
    for (std::size_t i = 0; i < kSegmentsMax; ++i) path += "/a";
    EXPECT_TRUE(parse_content_path(below(path)));
    EXPECT_TRUE(parse_content_path(below(path + "/")));
    EXPECT_EQ(parse_content_path(below(path + "/a")).error().status, 414U);
}

TEST(ContentType, IsThatOfTheExtension) {
    EXPECT_EQ(content_type_of("index.html"), "text/html; charset=utf-8");
    EXPECT_EQ(content_type_of("A.B.JS"), "text/javascript; charset=utf-8");
    EXPECT_EQ(content_type_of("x.wasm"), "application/wasm");
    for (const std::string_view name : {"", "html", "x.", "x.unknown", ".", "x.html/y"})
        EXPECT_EQ(content_type_of(name), "application/octet-stream") << name;
}

}  // namespace
}  // namespace draco::cdn
