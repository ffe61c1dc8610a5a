// A delivery needs nothing but its host: whenever the outcomes come, before an ask returns or long
// after, it gives the same one answer; and whatever fails, it says so once.

#include "../src/delivery.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/testing/seed.hpp"

#include "../../../core/gateway/test/memory_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco::cdn {
namespace {

using gateway::link_to;
using gateway::symlink_to;

using Entries = std::vector<types::DirectoryEntry>;
using Data = std::variant<Bytes, Entries>;

// Objects by made-up addresses. Outcomes wait in a queue unless they are to come at once.
class QueueHost final : public sdk::Host {
public:
    explicit QueueHost(bool at_once) : at_once_(at_once) {}

    types::ContentHash add(Data data) {
        types::ContentHash hash;
        hash.bytes[0] = static_cast<std::uint8_t>(objects_.size() + 1);
        objects_[hash] = std::make_shared<const Data>(std::move(data));
        return hash;
    }

    void open(const types::ContentHash& hash, OpenCallback callback) override;

    // Counts asks; the one with this number fails.
    void fail_ask(std::size_t number, Errc code) { failing_ = {number, code}; }

    // Whether there was an outcome to give.
    bool give_one() {
        if (queue_.empty()) return false;
        auto give = std::move(queue_.front());
        queue_.pop_front();
        give();
        return true;
    }

    std::size_t asks() const { return asks_; }

    std::size_t open_contents() const { return open_contents_; }

private:
    class QueuedContent;

    // nullopt, or what this ask fails with.
    std::optional<Error> next_ask() {
        const std::size_t number = asks_++;
        if (!failing_ || failing_->first != number) return std::nullopt;
        return Error{failing_->second, "planted\n"};
    }

    void settle(std::move_only_function<void()> give) {
        if (at_once_) return give();
        queue_.push_back(std::move(give));
    }

    const bool at_once_;
    std::map<types::ContentHash, std::shared_ptr<const Data>> objects_;
    std::optional<std::pair<std::size_t, Errc>> failing_;
    std::size_t asks_ = 0;
    std::size_t open_contents_ = 0;
    std::deque<std::move_only_function<void()>> queue_;
};

class QueueHost::QueuedContent final : public sdk::Content {
public:
    QueuedContent(QueueHost& host, const types::ContentHash& hash, std::shared_ptr<const Data> data)
        : host_(host), data_(std::move(data)) {
        ++host_.open_contents_;
        const auto* const bytes = std::get_if<Bytes>(data_.get());
        info_ = {.hash = hash,
                 .kind = bytes ? types::ContentKind::File : types::ContentKind::Directory,
                 .bytes = bytes ? bytes->size() : 0,
                 .leaves = bytes ? blake3_tree::block_count(bytes->size())
                                 : std::get<Entries>(*data_).size()};
    }

    ~QueuedContent() override { --host_.open_contents_; }

    const types::ContentInfo& info() const override { return info_; }

    void read(std::uint64_t first, std::size_t bytes_max, sdk::PieceCallback callback) override {
        const std::size_t to_block_end =
            sdk::kBlockBytes - static_cast<std::size_t>(first % sdk::kBlockBytes);
        const ByteView all = std::get<Bytes>(*data_);
        const ByteView rest = all.subspan(static_cast<std::size_t>(first));
        settle<sdk::Piece>(std::move(callback),
                           {.owner = data_,
                            .bytes = rest.first(std::min({bytes_max, to_block_end, rest.size()}))});
    }

    void find(std::string_view name, FindCallback callback) override {
        std::optional<types::DirectoryEntry> found;
        for (const types::DirectoryEntry& entry : std::get<Entries>(*data_))
            if (*entry.name == name) found = entry;
        settle<std::optional<types::DirectoryEntry>>(std::move(callback), std::move(found));
    }

    void list(std::uint64_t first, std::size_t count_max, ListCallback callback) override {
        const Entries& all = std::get<Entries>(*data_);
        Entries some;
        for (auto i = static_cast<std::size_t>(first); i < all.size() && some.size() < count_max;
             ++i)
            some.push_back(all[i]);
        settle<Entries>(std::move(callback), std::move(some));
    }

private:
    template <class T>
    void settle(std::move_only_function<void(Result<T>)> callback, T outcome) {
        auto error = host_.next_ask();
        Result<T> result = std::move(outcome);
        if (error) result = std::unexpected(*std::move(error));
        host_.settle([callback = std::move(callback), result = std::move(result)]() mutable {
            callback(std::move(result));
        });
    }

    QueueHost& host_;
    const std::shared_ptr<const Data> data_;
    types::ContentInfo info_;
};

void QueueHost::open(const types::ContentHash& hash, OpenCallback callback) {
    Result<std::unique_ptr<sdk::Content>> result = fail(Errc::NotFound, "nobody has it");
    const auto object = objects_.find(hash);
    if (object != objects_.end())
        result = std::make_unique<QueuedContent>(*this, hash, object->second);
    if (auto error = next_ask()) result = std::unexpected(*std::move(error));
    settle([callback = std::move(callback), result = std::move(result)]() mutable {
        callback(std::move(result));
    });
}

struct Outcome {
    unsigned status = 0;
    std::string fields;
    std::string body;
    std::size_t answers = 0;

    bool operator==(const Outcome&) const = default;
};

std::string body_text(sdk::Body& body, QueueHost& host) {
    std::string text;
    for (std::uint64_t i = 0; i < body.shape().pieces; ++i) {
        if (i == 1) body.let_go();
        bool came = false;
        body.pull([&](Result<sdk::Piece> piece) {
            came = true;
            if (!piece) return;
            EXPECT_LE(piece->bytes.size(), body.shape().piece_bytes_max);
            text += as_text(piece->bytes);
        });
        while (!came && host.give_one()) {
        }
        EXPECT_TRUE(came);
    }
    EXPECT_EQ(text.size(), body.shape().bytes);
    return text;
}

// What a request for the path comes to.
Outcome deliver(const std::shared_ptr<QueueHost>& host,
                const ContentPath& path,
                const http::Fields& fields = {}) {
    Outcome outcome;
    std::optional<sdk::Answer> answer;
    std::make_shared<Delivery>(host,
                               path,
                               Delivery::Asked{.target = "/sent", .fields = fields},
                               [&](sdk::Answer given) {
                                   ++outcome.answers;
                                   answer = std::move(given);
                               })
        ->start();
    while (host->give_one()) {
    }
    if (!answer) return outcome;
    outcome.status = answer->status;
    for (const sdk::Field& field : answer->fields)
        outcome.fields += field.name + ": " + field.value + "\n";
    if (const auto* const whole = std::get_if<sdk::Piece>(&answer->body))
        outcome.body = as_text(whole->bytes);
    else
        outcome.body = body_text(*std::get<std::unique_ptr<sdk::Body>>(answer->body), *host);
    answer.reset();
    EXPECT_EQ(host->open_contents(), 0U) << "nothing stays open";
    return outcome;
}

// A host and what is in it: a site with a listing, links, and a file of more than two blocks.
struct World {
    explicit World(bool at_once) : host(std::make_shared<QueueHost>(at_once)) {
        std::mt19937_64 random(7);
        Bytes bytes(2 * sdk::kBlockBytes + 99);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        const auto large = host->add(std::move(bytes));
        const auto page = host->add(to_bytes(as_bytes("page")));
        Entries many;
        for (int i = 0; i < 600; ++i) many.push_back(link_to(std::to_string(i), page));
        const auto listed = host->add(std::move(many));
        const auto sub =
            host->add(Entries{link_to("index.html", page), symlink_to("up", "../large")});
        root = host->add(
            Entries{link_to("large", large), link_to("listed", listed), link_to("sub", sub)});
    }

    ContentPath path(std::vector<std::string> segments, bool slash = false) const {
        return {.root = root, .segments = std::move(segments), .has_slash_at_end = slash};
    }

    std::shared_ptr<QueueHost> host;
    types::ContentHash root;
};

http::Fields ranges(std::string_view ranges) {
    http::Fields fields;
    if (!ranges.empty()) fields.add("Range", std::string(ranges));
    return fields;
}

struct Case {
    std::vector<std::string> segments;
    bool slash = false;
    std::string ranges;
    unsigned status = 0;
};

std::vector<Case> cases() {
    return {
        {{"large"}, false, "", 200},
        {{"large"}, false, "bytes=262143-262144", 206},
        {{"large"}, false, "bytes=1-1,300000-300001,-7", 206},
        {{"sub", "up"}, false, "bytes=-9", 206},
        {{"sub"}, true, "", 200},
        {{"sub"}, false, "", 301},
        {{"listed"}, true, "", 200},
        {{"listed", "7", "x"}, false, "", 404},
        {{"none"}, false, "", 404},
        {{"large"}, false, "bytes=9999999-", 416},
    };
}

TEST(Delivery, GivesOneAnswerWheneverTheOutcomesCome) {
    for (const Case& asked : cases()) {
        const World at_once(true);
        const World queued(false);
        const Outcome now =
            deliver(at_once.host, at_once.path(asked.segments, asked.slash), ranges(asked.ranges));
        EXPECT_EQ(now.status, asked.status) << now.body;
        EXPECT_EQ(now.answers, 1U);
        EXPECT_TRUE(now == deliver(queued.host,
                                   queued.path(asked.segments, asked.slash),
                                   ranges(asked.ranges)));
    }
}

// Each ask that comes before the answer fails once.
TEST(Delivery, SaysOnceWhatFailed) {
    for (const Case& asked : cases()) {
        const World counted(false);
        std::optional<sdk::Answer> given;
        std::make_shared<Delivery>(
            counted.host,
            counted.path(asked.segments, asked.slash),
            Delivery::Asked{.target = "/sent", .fields = ranges(asked.ranges)},
            [&](sdk::Answer answer) { given = std::move(answer); })
            ->start();
        while (counted.host->give_one()) {
        }
        const std::size_t asks = counted.host->asks();
        ASSERT_GT(asks, 0U);
        for (std::size_t failing = 0; failing < asks; ++failing) {
            const World world(false);
            world.host->fail_ask(failing, Errc::Io);
            const Outcome outcome =
                deliver(world.host, world.path(asked.segments, asked.slash), ranges(asked.ranges));
            EXPECT_EQ(outcome.answers, 1U);
            EXPECT_EQ(outcome.status, 500U) << failing;
            EXPECT_TRUE(outcome.body.ends_with("could not be read: planted?\n")) << outcome.body;
            EXPECT_TRUE(outcome.fields.contains("Cache-Control: no-store\n"));
        }
    }
}

TEST(Delivery, ADirectoryWithFewerEntriesThanItSaidIsCorrupt) {
    ListingPage page({.hash = {}, .kind = types::ContentKind::Directory, .bytes = 0, .leaves = 2},
                     true);
    EXPECT_EQ(page.wanted(), 2U);
    EXPECT_EQ(page.add({}).error().code, Errc::Corrupt);
    const auto entry = link_to("a", types::ContentHash{});
    EXPECT_EQ(page.add({entry, entry, entry}).error().code, Errc::Corrupt);
    ASSERT_TRUE(page.add({entry}));
    EXPECT_EQ(page.next(), 1U);
    EXPECT_EQ(page.wanted(), 1U);
}

}  // namespace
}  // namespace draco::cdn
