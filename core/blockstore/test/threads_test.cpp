// Many threads read, write, pin, evict and remove the same few objects: every byte that is read is
// right, errors are the expected ones, and in the end everything is accounted for.
#include "draco/testing/seed.hpp"

#include "store_fixture.hpp"

#include <thread>

namespace draco::blockstore {
namespace {

class ThreadsTest : public StoreFixture {
protected:
    static bool is_expected(const Error& error) {
        return error.code == Errc::NotFound || error.code == Errc::Exhausted ||
               error.code == Errc::Unavailable;
    }

    template <class T>
    static void expect_ok(const Result<T>& result) {
        if (!result) EXPECT_TRUE(is_expected(result.error())) << to_string(result.error());
    }

    void arrive(const Content& content) {
        if (content.info.kind == ContentKind::Directory) return;
        auto file = store->arrive(content.info.hash, content.nodes, content.bytes.size());
        expect_ok(file);
        if (!file) return;
        for (std::uint64_t i = 0; i < content.info.leaves; ++i)
            expect_ok((*file)->put_block(i, content.block(i)));
        expect_ok((*file)->finish());
    }

    void read(const Content& content) {
        const auto object = store->open(content.info.hash);
        expect_ok(object);
        if (object) EXPECT_EQ(difference(**object, content), "");
    }

    void use(std::uint64_t seed, int steps, const std::vector<Content>& contents) {
        std::mt19937_64 rng(seed);
        std::vector<std::shared_ptr<const StoredContent>> held;
        for (int i = 0; i < steps; ++i) {
            const Content& content = contents[rng() % contents.size()];
            switch (rng() % 12) {
                case 0:
                case 1:
                case 2:
                    expect_ok(blockstore::put(*store, content));
                    break;
                case 3:
                    arrive(content);
                    break;
                case 4:
                    expect_ok(store->pin(content.info.hash));
                    break;
                case 5:
                case 6:
                    expect_ok(store->unpin(content.info.hash));
                    break;
                case 7:
                    expect_ok(store->remove(content.info.hash));
                    break;
                case 8:
                    if (auto object = store->open(content.info.hash))
                        held.push_back(*std::move(object));
                    if (held.size() > 2) held.erase(held.begin());
                    break;
                case 9:
                    EXPECT_EQ(store->scrub(300'000).damaged_objects, 0U);
                    EXPECT_LE(store->usage().bytes, options.bytes_max);
                    static_cast<void>(store->list(std::nullopt, 5));
                    break;
                default:
                    read(content);
            }
        }
    }
};

TEST_F(ThreadsTest, EverythingAtOnce) {
    options.bytes_max = 7 * kBlockBytes;
    open();
    std::vector<Content> contents;
    for (std::uint64_t i = 0; i < 8; ++i)
        contents.push_back(made_file(i, (i % 3) * kBlockBytes + 1000 * i));
    for (std::uint64_t i = 0; i < 3; ++i) contents.push_back(made_directory(i, 20 * i));
    const std::uint64_t seed = draco::testing::test_seed(5);
    const int steps = static_cast<int>(draco::testing::scaled(400));
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] { use(seed * 100 + t, steps, contents); });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    EXPECT_EQ(store->usage().damaged_objects, 0U);
    EXPECT_GT(store->usage().evicted_objects, 0U);
    EXPECT_TRUE(disk.list("blockstore/staging").value().empty());
    const auto listed = store->list(std::nullopt, 100);
    open();
    EXPECT_EQ(store->list(std::nullopt, 100), listed);
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
}

TEST_F(ThreadsTest, OneObjectThatComesAndGoes) {
    // The file of an object that came again is never removed for the one before it.
    const Content content = made_file(1, 1000);
    const auto come_and_go = [&] {
        for (int i = 0; i < 300; ++i) {
            expect_ok(blockstore::put(*store, content));
            read(content);
            expect_ok(store->remove(content.info.hash));
        }
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) threads.emplace_back(come_and_go);
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(store->usage().damaged_objects, 0U);
    put(content);
    EXPECT_EQ(look(content), "");
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
}

}  // namespace
}  // namespace draco::blockstore
