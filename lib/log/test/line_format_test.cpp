// Proves that a message becomes exactly one line of the documented form, and that nothing in it can
// forge another line or field.

#include "draco/log/line_format.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <optional>
#include <random>
#include <vector>

namespace draco::log {
namespace {

constexpr UnixTime kTime{1'764'086'694'123};  // 2025-11-25T16:04:54.123Z

std::string line(LineFormat format, std::string_view text, const std::vector<Field>& fields) {
    return format_line(format,
                       {.time = kTime,
                        .level = Level::Info,
                        .component = "consensus",
                        .text = text,
                        .fields = fields});
}

// An independent reader of the text format: words between spaces, quotes with escapes.
struct ReadLine {
    std::vector<std::pair<std::string, std::string>> fields;
};

std::optional<std::string> read_value(std::string_view& rest) {
    std::string value;
    if (!rest.starts_with('"')) {
        const auto end = rest.find(' ');
        value = rest.substr(0, end);
        rest.remove_prefix(std::min(value.size(), rest.size()));
        return value;
    }
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return value;
        }
        if (rest[i] != '\\') {
            value += rest[i];
            continue;
        }
        ++i;
        if (i >= rest.size()) return std::nullopt;
        if (rest[i] == 'n')
            value += '\n';
        else if (rest[i] == 'r')
            value += '\r';
        else if (rest[i] == 't')
            value += '\t';
        else if (rest[i] == 'x') {
            value += static_cast<char>(std::stoi(std::string(rest.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else
            value += rest[i];
    }
    return std::nullopt;
}

std::optional<ReadLine> read_line(std::string_view rest, std::string_view prefix) {
    if (!rest.starts_with(prefix)) return std::nullopt;
    rest.remove_prefix(prefix.size());
    ReadLine read;
    while (!rest.empty()) {
        if (!rest.starts_with(' ')) return std::nullopt;
        rest.remove_prefix(1);
        const auto equals = rest.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string key(rest.substr(0, equals));
        rest.remove_prefix(equals + 1);
        const auto value = read_value(rest);
        if (!value) return std::nullopt;
        read.fields.emplace_back(key, *value);
    }
    return read;
}

TEST(LineFormat, TextIsAsDocumented) {
    EXPECT_EQ(line(LineFormat::Text,
                   "epoch has begun",
                   {{"epoch", std::uint64_t{7}},
                    {"offset", std::int64_t{-3}},
                    {"share", 0.25},
                    {"member", true},
                    {"reason", "a b"},
                    {"host", "127.0.0.1:4300"},
                    {"empty", ""}}),
              "2025-11-25T16:04:54.123Z INFO  consensus: epoch has begun epoch=7 offset=-3 "
              "share=0.25 member=true reason=\"a b\" host=127.0.0.1:4300 empty=\"\"");
}

TEST(LineFormat, JsonIsAsDocumented) {
    EXPECT_EQ(line(LineFormat::Json,
                   "epoch has begun",
                   {{"epoch", std::uint64_t{7}},
                    {"reason", "a \"b\"\n\xC3\xA4\xF0\x9F\x90\x89\xFF"},
                    {"nan", std::numeric_limits<double>::quiet_NaN()}}),
              R"({"time":"2025-11-25T16:04:54.123Z","level":"info","component":"consensus",)"
              R"("message":"epoch has begun","fields":{"epoch":7,)"
              R"("reason":"a \"b\"\u000a\u00e4\ud83d\udc09\ufffd","nan":"nan"}})");
}

TEST(LineFormat, LineBreaksAndEscapeSequencesCannotForge) {
    EXPECT_EQ(
        line(LineFormat::Text,
             "peer says",
             {{"text", "x\n2025-11-25T16:04:54.123Z ERROR fake: y"}, {"more", "\x1b[2J\x80"}}),
        "2025-11-25T16:04:54.123Z INFO  consensus: peer says "
        "text=\"x\\n2025-11-25T16:04:54.123Z ERROR fake: y\" more=\"\\x1b[2J\\x80\"");
    EXPECT_EQ(line(LineFormat::Text, "ok level=fake", {}),
              "2025-11-25T16:04:54.123Z INFO  consensus: \"ok level=fake\"");
    EXPECT_EQ(line(LineFormat::Text, "a", {{"k", "1 admin=true"}}),
              "2025-11-25T16:04:54.123Z INFO  consensus: a k=\"1 admin=true\"");
}

TEST(LineFormat, EveryValueIsReadBackAsItWas) {
    std::mt19937_64 random(testing::test_seed(1));
    for (std::uint64_t i = 0; i < testing::scaled(3000); ++i) {
        std::vector<std::string> values(1 + random() % 4);
        for (std::string& value : values)
            for (std::size_t n = random() % 20; n > 0; --n)
                value += random() % 3 == 0 ? std::string_view("\"\\ =\n\r\t")[random() % 7]
                                           : static_cast<char>(random());
        std::vector<Field> fields;
        for (const std::string& value : values) fields.push_back({"key", value});
        const std::string text = line(LineFormat::Text, "m", fields);
        for (const char c : text) ASSERT_TRUE(c >= 0x20 && c < 0x7F);
        const auto read = read_line(text, "2025-11-25T16:04:54.123Z INFO  consensus: m");
        ASSERT_TRUE(read) << text;
        ASSERT_EQ(read->fields.size(), values.size()) << text;
        for (std::size_t k = 0; k < values.size(); ++k)
            EXPECT_EQ(read->fields[k].second, values[k]) << text;
        for (const char c : line(LineFormat::Json, values[0], fields))
            ASSERT_TRUE(c >= 0x20 && c < 0x7F);
    }
}

TEST(LineFormat, LinesAreBounded) {
    const std::string longest(kValueBytesMax * 10, '\n');
    const std::vector<Field> fields(kFieldsMax * 2, Field{"key", longest});
    for (const LineFormat format : {LineFormat::Text, LineFormat::Json}) {
        const std::string text = line(format, longest, fields);
        EXPECT_LT(text.size(), kLineBytesMax);
        EXPECT_TRUE(text.contains("..."));
    }
    const std::vector<Field> many(kFieldsMax + 1, Field{"k", true});
    EXPECT_TRUE(line(LineFormat::Text, "m", many).ends_with("k=true ..."));
    EXPECT_TRUE(line(LineFormat::Json, "m", many).ends_with(R"("k":true,"...":true}})"));
    EXPECT_EQ(line(LineFormat::Text, "m", {{"k", std::string(kValueBytesMax + 1, 'x')}}),
              "2025-11-25T16:04:54.123Z INFO  consensus: m k=\"" +
                  std::string(kValueBytesMax, 'x') + "...\"");
}

TEST(LineFormat, TimesAreRfc3339) {
    EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339({951'782'400'001}), "2000-02-29T00:00:00.001Z");
    EXPECT_EQ(to_rfc3339({~std::uint64_t{0}}), "9999-12-31T23:59:59.999Z");
}

TEST(LineFormat, LevelsHaveNames) {
    for (const Level level : {Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error})
        EXPECT_EQ(parse_level(to_string(level)), level);
    EXPECT_EQ(parse_level("INFO"), std::nullopt);
}

}  // namespace
}  // namespace draco::log
