// What a service reads through its host is what the source has, cut to what was asked for; what
// makes no sense, or is not as it should be, is refused.

#include "../src/content_host.hpp"

#include "draco/testing/seed.hpp"

#include "memory_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace draco::gateway {
namespace {

constexpr interfaces::Asker kAsker{.kind = interfaces::AskerClass::Stranger, .number = 7};
constexpr Instant kDeadline{std::chrono::seconds(9)};

template <class T>
Result<T> only(std::optional<Result<T>> outcome) {
    return outcome ? *std::move(outcome) : fail(Errc::Abandoned, "no outcome");
}

Result<std::unique_ptr<sdk::Content>> open(interfaces::ContentSource& source,
                                           const types::ContentHash& hash) {
    const auto host = std::make_shared<ContentHost>(source, kAsker, kDeadline);
    std::optional<Result<std::unique_ptr<sdk::Content>>> outcome;
    host->open(
        hash, [&](Result<std::unique_ptr<sdk::Content>> content) { outcome = std::move(content); });
    return only(std::move(outcome));
}

Result<sdk::Piece> read(sdk::Content& content, std::uint64_t first, std::size_t bytes_max) {
    std::optional<Result<sdk::Piece>> outcome;
    content.read(first, bytes_max, [&](Result<sdk::Piece> piece) { outcome = std::move(piece); });
    return only(std::move(outcome));
}

Result<std::optional<types::DirectoryEntry>> find(sdk::Content& content, std::string_view name) {
    std::optional<Result<std::optional<types::DirectoryEntry>>> outcome;
    content.find(name, [&](Result<std::optional<types::DirectoryEntry>> entry) {
        outcome = std::move(entry);
    });
    return only(std::move(outcome));
}

Result<std::vector<types::DirectoryEntry>> list(sdk::Content& content,
                                                std::uint64_t first,
                                                std::size_t count_max) {
    std::optional<Result<std::vector<types::DirectoryEntry>>> outcome;
    content.list(first, count_max, [&](Result<std::vector<types::DirectoryEntry>> entries) {
        outcome = std::move(entries);
    });
    return only(std::move(outcome));
}

Errc code_of(const auto& outcome) {
    return outcome ? Errc::AlreadyExists : outcome.error().code;
}

// Model: a slice of the content that ends with its block.
TEST(ContentHost, ReadsAreSlicesThatEndWithTheirBlock) {
    std::mt19937_64 random(testing::test_seed(31));
    MemorySource source;
    Bytes bytes(3 * sdk::kBlockBytes + 1'234);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const auto content = open(source, source.add_file(bytes)).value();
    for (std::uint64_t round = 0; round < testing::scaled(300); ++round) {
        std::uint64_t first = random() % bytes.size();
        if (random() % 2 == 0)
            first = std::min<std::uint64_t>(
                (first / sdk::kBlockBytes) * sdk::kBlockBytes + random() % 2, bytes.size() - 1);
        const auto bytes_max = static_cast<std::size_t>(
            1 + random() % (random() % 2 == 0 ? 10 : 2 * sdk::kBlockBytes));
        std::uint64_t end = first;
        while (end < bytes.size() && end - first < bytes_max &&
               (end == first || end % sdk::kBlockBytes != 0))
            ++end;
        const auto piece = read(*content, first, bytes_max);
        ASSERT_TRUE(piece) << first << " " << bytes_max;
        EXPECT_TRUE(equal(piece->bytes, ByteView(bytes).subspan(first, end - first)))
            << first << " " << bytes_max;
    }
}

TEST(ContentHost, WhatMakesNoSenseIsRefused) {
    MemorySource source;
    const auto hash = source.add_file(Bytes(10));
    const auto file = open(source, hash).value();
    const auto empty = open(source, source.add_file({})).value();
    const auto directory = open(source, source.add_directory({link_to("a", hash)})).value();
    EXPECT_EQ(code_of(read(*file, 10, 1)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(read(*file, ~std::uint64_t{0}, 1)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(read(*file, 0, 0)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(read(*empty, 0, 1)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(read(*directory, 0, 1)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(find(*file, "a")), Errc::InvalidArgument);
    EXPECT_EQ(code_of(list(*file, 0, 1)), Errc::InvalidArgument);
    EXPECT_EQ(source.reads(), 0U);
}

TEST(ContentHost, FindsAndListsWithinItsBound) {
    MemorySource source;
    const auto hash = source.add_file(Bytes(10));
    std::vector<types::DirectoryEntry> entries;
    for (int i = 100; i < 500; ++i) entries.push_back(link_to(std::to_string(i), hash));
    const auto content = open(source, source.add_directory(entries)).value();
    EXPECT_EQ(find(*content, "123").value(), entries[23]);
    EXPECT_EQ(find(*content, "99").value(), std::nullopt);
    EXPECT_EQ(list(*content, 0, 1'000).value().size(), sdk::kListedAtOnceMax);
    EXPECT_EQ(list(*content, 398, 1'000).value().size(), 2U);
    EXPECT_EQ(list(*content, 5, 1).value(), std::vector{entries[5]});
    EXPECT_TRUE(list(*content, 400, 1).value().empty());
}

TEST(ContentHost, ErrorsArePassedOn) {
    MemorySource source;
    const auto hash = source.add_file(Bytes(10));
    EXPECT_EQ(code_of(open(source, types::ContentHash{})), Errc::NotFound);
    const auto content = open(source, hash).value();
    source.fail_blocks(hash, 0, Errc::Exhausted);
    EXPECT_EQ(code_of(read(*content, 0, 1)), Errc::Exhausted);
    source.fail_open(hash, Errc::DeadlineExceeded);
    EXPECT_EQ(code_of(open(source, hash)), Errc::DeadlineExceeded);
}

// Outcomes of asks, each counted.
struct Outcomes {
    std::vector<Errc> opens;
    std::vector<Errc> reads;
    std::vector<std::unique_ptr<sdk::Content>> contents;

    sdk::Host::OpenCallback open() {
        return [this](Result<std::unique_ptr<sdk::Content>> content) {
            opens.push_back(code_of(content));
            if (content) contents.push_back(*std::move(content));
        };
    }

    sdk::PieceCallback read() {
        return [this](const Result<sdk::Piece>& piece) { reads.push_back(code_of(piece)); };
    }
};

constexpr Errc kCame = Errc::AlreadyExists;  // as code_of has it

TEST(ContentHost, GivingUpTakesBackWhatWaitsAndLetsGoOfWhatIsOpen) {
    MemorySource source;
    const auto here = source.add_file(Bytes(10));
    const auto held = source.add_file(Bytes(11));
    const auto directory = source.add_directory({link_to("a", here)});
    source.hold_blocks(here, 0);
    source.hold_opens(held);
    Outcomes outcomes;
    const auto host = std::make_shared<ContentHost>(source, kAsker, kDeadline);
    host->open(here, outcomes.open());
    host->open(directory, outcomes.open());
    outcomes.contents.at(0)->read(0, 5, outcomes.read());
    host->open(held, outcomes.open());
    host->open(held, outcomes.open());
    EXPECT_EQ(source.waiting(), 2U);
    EXPECT_EQ(source.held(), 1U);
    EXPECT_EQ(source.open_contents(), 2U);

    host->give_up();
    EXPECT_EQ(source.waiting(), 0U);
    EXPECT_EQ(source.held(), 0U);
    EXPECT_EQ(source.open_contents(), 0U);
    EXPECT_EQ(outcomes.opens, std::vector(2, kCame)) << "who gives up calls nobody";
    EXPECT_TRUE(outcomes.reads.empty());
    source.release();
    EXPECT_EQ(outcomes.opens, (std::vector{kCame, kCame, Errc::Abandoned, Errc::Abandoned}));
    EXPECT_EQ(outcomes.reads, std::vector{Errc::Abandoned});

    // What is asked for later is nobody's either, and what was opened still says what it is.
    EXPECT_EQ(outcomes.contents.at(0)->info().bytes, 10U);
    outcomes.contents.at(0)->read(0, 5, outcomes.read());
    EXPECT_EQ(outcomes.reads.back(), Errc::Abandoned);
    EXPECT_EQ(code_of(find(*outcomes.contents.at(1), "a")), Errc::Abandoned);
    EXPECT_EQ(code_of(list(*outcomes.contents.at(1), 0, 1)), Errc::Abandoned);
    host->open(here, outcomes.open());
    EXPECT_EQ(outcomes.opens.back(), Errc::Abandoned);
    host->give_up();
}

TEST(ContentHost, WhatWasClosedIsNoMoreOfTheHost) {
    MemorySource source;
    Outcomes outcomes;
    const auto host = std::make_shared<ContentHost>(source, kAsker, kDeadline);
    host->open(source.add_file(Bytes(10)), outcomes.open());
    EXPECT_EQ(source.open_contents(), 1U);
    outcomes.contents.clear();
    EXPECT_EQ(source.open_contents(), 0U);
}

// A source that is wrong about its blocks, and that tells who asked it.
class WrongSource final : public interfaces::ContentSource {
public:
    class WrongContent final : public interfaces::Content {
    public:
        explicit WrongContent(std::shared_ptr<const Bytes> block) : block_(std::move(block)) {}

        const types::ContentInfo& info() const override { return info_; }

        void read_block(std::uint64_t /*index*/, BlockCallback callback) override {
            callback(block_);
            // Whoever destroyed this in the callback destroyed what is read here.
            ++reads_;
        }

        Result<std::vector<blake3_tree::Hash>> tree_nodes(
            std::uint64_t /*first*/, std::size_t /*count_max*/) const override {
            return fail(Errc::Io, "no tree");
        }

        Result<std::vector<types::DirectoryEntry>> entries(
            std::uint64_t /*first*/, std::size_t /*count_max*/) const override {
            return fail(Errc::Io, "no entries");
        }

        Result<std::optional<types::DirectoryEntry>> find(
            std::string_view /*name*/) const override {
            return fail(Errc::Io, "no entries");
        }

    private:
        const types::ContentInfo info_{
            .hash = {}, .kind = types::ContentKind::File, .bytes = 10, .leaves = 1};
        const std::shared_ptr<const Bytes> block_;
        std::size_t reads_ = 0;
    };

    void open(const types::ContentHash& /*hash*/,
              Instant /*deadline*/,
              OpenCallback callback) override {
        callback(fail(Errc::Io, "nobody in particular asks"));
    }

    interfaces::OpenId open_for(const interfaces::Asker& by,
                                const types::ContentHash& /*hash*/,
                                Instant until,
                                OpenCallback callback) override {
        asker = by;
        deadline = until;
        if (before_answer) before_answer();
        callback(std::make_shared<WrongContent>(block));
        return interfaces::OpenId(9);
    }

    void cancel(interfaces::OpenId call) override { cancelled.push_back(call.value()); }

    std::shared_ptr<const Bytes> block;
    std::optional<interfaces::Asker> asker;
    std::optional<Instant> deadline;
    std::move_only_function<void()> before_answer;
    std::vector<std::uint64_t> cancelled;
};

TEST(ContentHost, OpensForTheClientThatAsked) {
    WrongSource source;
    EXPECT_TRUE(open(source, {}));
    EXPECT_EQ(source.asker, kAsker);
    EXPECT_EQ(source.deadline, kDeadline);
}

// A request may end while the source is told of a call, before the call has a name.
TEST(ContentHost, GivingUpMayCrossWithACall) {
    WrongSource source;
    source.block = std::make_shared<const Bytes>(10);
    Outcomes outcomes;
    const auto host = std::make_shared<ContentHost>(source, kAsker, kDeadline);
    source.before_answer = [&] { host->give_up(); };
    host->open({}, outcomes.open());
    EXPECT_EQ(outcomes.opens, std::vector{Errc::Abandoned});
    EXPECT_EQ(source.cancelled, std::vector<std::uint64_t>{9});
}

TEST(ContentHost, ABlockOfAWrongLengthIsCorrupt) {
    WrongSource source;
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{9}, std::size_t{11}}) {
        source.block = std::make_shared<const Bytes>(bytes);
        EXPECT_EQ(code_of(read(*open(source, {}).value(), 0, 1)), Errc::Corrupt) << bytes;
    }
    source.block = nullptr;
    EXPECT_EQ(code_of(read(*open(source, {}).value(), 0, 1)), Errc::Corrupt);
    source.block = std::make_shared<const Bytes>(10);
    EXPECT_TRUE(read(*open(source, {}).value(), 0, 1));
}

// Under the address sanitizer, this is what fails if the content is gone too early.
TEST(ContentHost, AContentMayBeDestroyedInItsCallback) {
    WrongSource source;
    source.block = std::make_shared<const Bytes>(10, std::uint8_t{7});
    auto content = open(source, {}).value();
    sdk::Piece kept;
    content->read(3, 100, [&](Result<sdk::Piece> piece) {
        content.reset();
        kept = piece.value();
    });
    source.block.reset();
    EXPECT_TRUE(equal(kept.bytes, Bytes(7, 7)));
}

}  // namespace
}  // namespace draco::gateway
