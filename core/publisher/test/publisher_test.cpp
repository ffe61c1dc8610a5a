// The owner's requests against a real store on a simulated disk: what goes in comes out with its
// address, pieces may be repeated, strangers are refused, bad requests say what is wrong.
#include "draco/publisher/publisher.hpp"

#include "draco/base/text_encoding.hpp"

#include "publisher_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::publisher {
namespace {

using PublisherTest = PublisherFixture;

TEST_F(PublisherTest, AFileComesInPiecesAndIsStoredUnderItsAddress) {
    const Bytes content = pattern_bytes(700'000);
    const auto id = text_of(ask("POST", "/content/v0/uploads?kind=file"), "upload");
    EXPECT_EQ(
        ask("PUT", "/content/v0/uploads/" + id + "?offset=0", ByteView(content).first(300'000))
            .status,
        200U);
    EXPECT_EQ(ask("PUT",
                  "/content/v0/uploads/" + id + "?offset=300000",
                  ByteView(content).subspan(300'000))
                  .status,
              200U);
    const auto ended = ask("POST", "/content/v0/uploads/" + id);
    EXPECT_EQ(ended.status, 200U);
    const std::string hash = text_of(ended, "hash");
    EXPECT_EQ(hash, to_hex(blake3_tree::hash(content).view()));
    EXPECT_EQ(provided(), std::vector<std::string>{hash});
    EXPECT_EQ(ask("POST", "/content/v0/uploads/" + id).status, 404U);
}

TEST_F(PublisherTest, WhatFitsIntoOneRequestNeedsNoUpload) {
    const Bytes content = pattern_bytes(70'000);
    const auto put = ask("POST", "/content/v0/objects?kind=file&pin=true", content);
    EXPECT_EQ(text_of(put, "hash"), to_hex(blake3_tree::hash(content).view()));
    EXPECT_EQ(store().usage().pinned_objects, 1U);
    EXPECT_EQ(ask("POST", "/content/v0/objects?kind=file").status, 200U) << "an empty file";
    EXPECT_EQ(ask("POST", "/content/v0/objects?kind=directory", content).status, 400U);
    EXPECT_EQ(store().usage().objects, 2U);
}

TEST_F(PublisherTest, APieceThatIsSentAgainChangesNothingAndAGapIsRefused) {
    const Bytes content = pattern_bytes(1'000);
    const auto id = text_of(ask("POST", "/content/v0/uploads"), "upload");
    const auto put = [&](std::size_t from, std::size_t count) {
        return ask("PUT",
                   "/content/v0/uploads/" + id + "?offset=" + std::to_string(from),
                   ByteView(content).subspan(from, count));
    };
    EXPECT_EQ(put(0, 600).status, 200U);
    EXPECT_EQ(put(0, 600).status, 200U);
    const auto gap = put(700, 300);
    EXPECT_EQ(gap.status, 409U);
    EXPECT_TRUE(text_of(gap, "error").contains("begins at 600"));
    EXPECT_EQ(put(600, 400).status, 200U);
    EXPECT_EQ(text_of(ask("POST", "/content/v0/uploads/" + id), "hash"),
              to_hex(blake3_tree::hash(content).view()));
}

TEST_F(PublisherTest, ADirectoryIsTheBcsOfItsEntriesAndCanBeListed) {
    const std::string hash = put_file(pattern_bytes(10));
    const std::vector<types::DirectoryEntry> entries = {
        {.name = name("a b.txt"), .target = *fixed_from_hex<types::ContentHash>(hash)},
        {.name = name("\xc3\xa9t\xc3\xa9"), .target = link("a b.txt")}};
    const std::string directory = put_directory(entries);
    const auto listed = ask("GET", "/content/v0/objects/" + directory + "/entries");
    ASSERT_EQ(listed.status, 200U);
    const json::value value = json::parse(std::string(as_text(listed.body)));
    EXPECT_EQ(value.at("entry_count").as_int64(), 2);
    EXPECT_EQ(value.at("entries").at(0).at("hash").as_string(), hash);
    EXPECT_EQ(value.at("entries").at(1).at("link").as_string(), "a b.txt");
    EXPECT_TRUE(value.at("next").is_null());
}

TEST_F(PublisherTest, BytesThatAreNoDirectoryAreRefusedAndNothingIsStored) {
    const auto id = text_of(ask("POST", "/content/v0/uploads?kind=directory"), "upload");
    EXPECT_EQ(ask("PUT", "/content/v0/uploads/" + id + "?offset=0", pattern_bytes(100)).status,
              200U);
    const auto refused = ask("POST", "/content/v0/uploads/" + id);
    EXPECT_EQ(refused.status, 400U);
    EXPECT_TRUE(text_of(refused, "error").contains("BCS"));
    EXPECT_EQ(store().usage().objects, 0U);
}

TEST_F(PublisherTest, AStrangerIsRefusedWhateverItAsks) {
    for (const char* target :
         {"/content/v0/uploads", "/content/v0/objects", "/content/v0/x", "/"}) {
        const auto refused = ask("POST", target, {}, "Bearer other");
        EXPECT_EQ(refused.status, 401U) << target;
        EXPECT_TRUE(refused.fields.find("WWW-Authenticate"));
    }
    EXPECT_EQ(store().usage().objects, 0U);
}

TEST_F(PublisherTest, PinsAreSetOnWhatIsHereAndOnWhatIsFetched) {
    const std::string here = put_file(pattern_bytes(10));
    EXPECT_EQ(ask("PUT", "/content/v0/pins/" + here).status, 200U);
    EXPECT_EQ(store().usage().pinned_objects, 1U);
    const std::string away = offer_elsewhere(pattern_bytes(600'000));
    unsigned status = 202;
    for (int i = 0; i < 10 && status == 202; ++i)
        status = ask("PUT", "/content/v0/pins/" + away).status;
    EXPECT_EQ(status, 200U);
    EXPECT_EQ(store().usage().pinned_objects, 2U);
    EXPECT_EQ(ask("DELETE", "/content/v0/pins/" + away).status, 204U);
    EXPECT_EQ(store().usage().pinned_objects, 1U);
}

TEST_F(PublisherTest, APinOfWhatNobodyHasSaysSo) {
    const std::string nowhere(64, '7');
    for (int i = 0; i < 2; ++i) {
        const auto refused = ask("PUT", "/content/v0/pins/" + nowhere);
        EXPECT_EQ(refused.status, 404U);
        EXPECT_TRUE(text_of(refused, "error").contains("nobody"));
    }
}

// In a store of 1 MiB, of which others take what they can.
class SmallStoreTest : public PublisherFixture {
protected:
    SmallStoreTest() : PublisherFixture(std::uint64_t{1} << 20) {}
};

TEST_F(SmallStoreTest, WhatIsToBePinnedIsNotEvictedBeforeItIs) {
    const Bytes content = pattern_bytes(600'000);
    watched().before_pin = [this] { return crowd_out(); };
    EXPECT_EQ(ask("POST", "/content/v0/objects?kind=file&pin=true", content).status, 200U);
    EXPECT_EQ(store().usage().pinned_objects, 1U);
    EXPECT_TRUE(store().has(types::ContentHash(blake3_tree::hash(content).bytes)));
    const Bytes directory =
        bcs::encode(std::vector<types::DirectoryEntry>{{.name = name("a"), .target = link("b")}});
    watched().before_pin = [this] { return crowd_out(); };
    EXPECT_EQ(ask("POST", "/content/v0/objects?kind=directory&pin=true", directory).status, 200U);
    EXPECT_EQ(store().usage().pinned_objects, 2U);
}

TEST_F(SmallStoreTest, WhatWasFetchedIsPinnedBeforeAnybodyAsksAgain) {
    const std::string hash = offer_elsewhere(pattern_bytes(600'000));
    // The store is late: what has come must stay meanwhile.
    watched().before_pin = [this]() -> Result<> {
        watched().before_pin = [this] { return crowd_out(); };
        return fail(Errc::NotFound, "not yet");
    };
    EXPECT_EQ(ask("PUT", "/content/v0/pins/" + hash).status, 202U);
    EXPECT_TRUE(crowd_out());
    EXPECT_EQ(store().usage().pinned_objects, 1U);
    EXPECT_EQ(ask("PUT", "/content/v0/pins/" + hash).status, 200U);
}

TEST_F(SmallStoreTest, WhatIsNotWantedAnyMoreIsNotPinnedWhenItHasCome) {
    const std::string hash = offer_elsewhere(pattern_bytes(1'000));
    source().waits = true;
    EXPECT_EQ(ask("PUT", "/content/v0/pins/" + hash).status, 202U);
    EXPECT_TRUE(source().cancelled.empty());
    EXPECT_EQ(ask("DELETE", "/content/v0/pins/" + hash).status, 204U);
    EXPECT_EQ(source().cancelled, std::vector<std::uint64_t>{1});
    EXPECT_EQ(ask("DELETE", "/content/v0/pins/" + hash).status, 404U);
    go_on();
    EXPECT_EQ(store().usage().pinned_objects, 0U);
}

// 507 only when what is pinned leaves no room; being busy passes.
TEST_F(SmallStoreTest, BusyIsNotFull) {
    const std::string hash(64, '7');
    source().refuses_with = Error{Errc::Exhausted, "too many wait; come back"};
    for (const std::string& target : {"/content/v0/objects/" + hash + "/entries", std::string()}) {
        const auto busy =
            target.empty() ? ask("PUT", "/content/v0/pins/" + hash) : ask("GET", target);
        EXPECT_EQ(busy.status, 503U);
        EXPECT_TRUE(busy.fields.find("Retry-After"));
        EXPECT_EQ(text_of(busy, "error"), "too many wait; come back");
    }
    EXPECT_EQ(ask("POST", "/content/v0/objects?kind=file&pin=true", pattern_bytes(900'000)).status,
              200U);
    const auto full = ask("PUT", "/content/v0/pins/" + hash);
    EXPECT_EQ(full.status, 507U);
    EXPECT_TRUE(text_of(full, "hint").contains("unpin"));
    EXPECT_FALSE(full.fields.find("Retry-After"));
    EXPECT_EQ(ask("POST", "/content/v0/objects?kind=file", pattern_bytes(600'000)).status, 507U);
}

TEST_F(PublisherTest, TheListHasPagesAndTheUsage) {
    std::vector<std::string> put;
    for (std::size_t i = 0; i < 5; ++i) put.push_back(put_file(pattern_bytes(10 + i)));
    std::ranges::sort(put);
    std::vector<std::string> listed;
    std::string query = "?limit=2";
    while (true) {
        const json::value page =
            json::parse(std::string(as_text(ask("GET", "/content/v0/objects" + query).body)));
        EXPECT_EQ(page.at("usage").at("objects").as_int64(), 5);
        for (const json::value& each : page.at("objects").as_array())
            listed.emplace_back(each.at("hash").as_string());
        if (page.at("next").is_null()) break;
        query = "?limit=2&after=" + std::string(page.at("next").as_string());
    }
    EXPECT_EQ(listed, put);
}

TEST_F(PublisherTest, WhatIsRemovedIsWithdrawn) {
    const std::string hash = put_file(pattern_bytes(10));
    EXPECT_EQ(ask("DELETE", "/content/v0/objects/" + hash).status, 204U);
    EXPECT_EQ(withdrawn(), std::vector<std::string>{hash});
    EXPECT_EQ(ask("DELETE", "/content/v0/objects/" + hash).status, 404U);
}

TEST_F(PublisherTest, AnUploadThatRestsTooLongIsGivenUpAndUploadsAreBounded) {
    const auto id = text_of(ask("POST", "/content/v0/uploads"), "upload");
    for (int i = 1; i < 64; ++i) EXPECT_EQ(ask("POST", "/content/v0/uploads").status, 201U);
    const auto busy = ask("POST", "/content/v0/uploads");
    EXPECT_EQ(busy.status, 503U);
    EXPECT_TRUE(busy.fields.find("Retry-After"));
    pass(std::chrono::minutes(11));
    EXPECT_EQ(ask("POST", "/content/v0/uploads").status, 201U);
    EXPECT_EQ(ask("PUT", "/content/v0/uploads/" + id + "?offset=0", pattern_bytes(1)).status, 404U);
}

TEST_F(PublisherTest, WrongRequestsSayWhatIsWrong) {
    const std::pair<const char*, const char*> wrong[] = {
        {"GET", "/content/v0/uploads"},
        {"POST", "/content/v0/uploads?kind=symlink"},
        {"POST", "/content/v0/uploads?kind=file&kind=file"},
        {"POST", "/content/v0/uploads?colour=red"},
        {"PUT", "/content/v0/uploads/x?offset=0"},
        {"PUT", "/content/v0/uploads/1?offset=-1"},
        {"PUT", "/content/v0/pins/12"},
        {"GET", "/content/v0/objects?limit=many"},
        {"GET", "/content/v0/objects/12/entries"},
        {"GET", "/content/v0/objects/12/blocks"},
        {"GET", "/content/v0/objects/1/2/3"},
        {"GET", "/content/v0"},
    };
    for (const auto& [method, target] : wrong) {
        const auto refused = ask(method, target);
        EXPECT_GE(refused.status, 400U) << method << " " << target;
        EXPECT_LT(refused.status, 500U) << method << " " << target;
        EXPECT_FALSE(text_of(refused, "error").empty());
        EXPECT_FALSE(text_of(refused, "hint").empty());
    }
}

}  // namespace
}  // namespace draco::publisher
