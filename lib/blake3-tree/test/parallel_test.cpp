#include "draco/blake3_tree/parallel.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace draco::blake3_tree {
namespace {

// A file whose contents are given, and which can lie about its size or fail.
class MemoryFile final : public File {
public:
    explicit MemoryFile(Bytes bytes) : bytes_(std::move(bytes)), size_bytes_(bytes_.size()) {}

    void claim_size(std::uint64_t size_bytes) { size_bytes_ = size_bytes; }

    void fail_at(std::uint64_t offset) { failing_offset_ = offset; }

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override {
        if (offset == failing_offset_) return fail(Errc::Io, "bad sector");
        if (offset >= bytes_.size()) return std::size_t{0};
        const std::size_t read = std::min<std::size_t>(out.size(), bytes_.size() - offset);
        std::memcpy(out.data(), bytes_.data() + offset, read);
        return read;
    }

    Result<> write_at(std::uint64_t, ByteView) override { return fail(Errc::Io, "read-only"); }

    Result<> truncate(std::uint64_t) override { return fail(Errc::Io, "read-only"); }

    Result<> preallocate(std::uint64_t) override { return fail(Errc::Io, "read-only"); }

    Result<> sync() override { return {}; }

    Result<std::uint64_t> size() const override { return size_bytes_; }

private:
    Bytes bytes_;
    std::uint64_t size_bytes_;
    std::uint64_t failing_offset_ = ~std::uint64_t{0};
};

TEST(Parallel, SameResultForAnyThreadCount) {
    // Sizes around block and segment borders, from memory and from a file, hash and tree.
    for (const std::size_t size : {std::size_t{0},
                                   std::size_t{1},
                                   kBlockBytes,
                                   kBlockBytes + 1,
                                   4 * kBlockBytes,
                                   4 * kBlockBytes + 1,
                                   8 * kBlockBytes,
                                   21 * kBlockBytes + 12345}) {
        const Bytes content = sample::counting(size);
        TreeBuilder builder;
        builder.update(content);
        const HashTree tree = std::move(builder).finish();
        const MemoryFile file(content);
        for (const unsigned threads : {0U, 1U, 2U, 3U, 7U}) {
            EXPECT_EQ(hash_parallel(content, threads), tree.root()) << size;
            EXPECT_EQ(build_tree_parallel(content, threads), tree) << size;
            EXPECT_EQ(*hash_file(file, threads), tree.root()) << size;
            EXPECT_EQ(*build_tree_of_file(file, threads), tree) << size;
        }
    }
}

TEST(Parallel, KeyedMode) {
    // The mode reaches every thread.
    Key key;
    key.bytes.fill(9);
    const Bytes content = sample::counting(9 * kBlockBytes + 1);
    EXPECT_EQ(hash_parallel(content, 3, Mode::keyed(key)), hash(content, Mode::keyed(key)));
}

TEST(Parallel, FileErrors) {
    // A failing read and a file that shrinks end the call with an error, whatever the thread.
    for (const unsigned threads : {1U, 3U}) {
        MemoryFile failing(sample::counting(9 * kBlockBytes));
        failing.fail_at(7 * kBlockBytes);
        const auto hashed = hash_file(failing, threads);
        ASSERT_FALSE(hashed);
        EXPECT_EQ(hashed.error(), (Error{Errc::Io, "bad sector"}));
        EXPECT_FALSE(build_tree_of_file(failing, threads));

        MemoryFile shrunk(sample::counting(9 * kBlockBytes));
        shrunk.claim_size(9 * kBlockBytes + 1);
        ASSERT_FALSE(hash_file(shrunk, threads));
        EXPECT_EQ(hash_file(shrunk, threads).error().code, Errc::Io);
    }
}

}  // namespace
}  // namespace draco::blake3_tree
