#pragma once
// What every draco::Disk does while nothing breaks, as tests. An implementation runs them with
//     INSTANTIATE_TEST_SUITE_P(Posix, DiskContract, ::testing::Values(DiskMaker{"posix", make}));
// in namespace draco::testing, in one .cpp that includes this header.

#include "draco/base/disk.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>

namespace draco::testing {

// Makes an empty disk, whose deleter may clean up.
struct DiskMaker {
    std::string name;
    std::function<std::shared_ptr<Disk>()> make;

    friend std::ostream& operator<<(std::ostream& out, const DiskMaker& maker) {
        return out << maker.name;
    }
};

class DiskContract : public ::testing::TestWithParam<DiskMaker> {
protected:
    Disk& disk() { return *disk_; }

    std::unique_ptr<File> open(std::string_view path, OpenMode mode = OpenMode::Create) {
        auto file = disk().open(path, mode);
        EXPECT_TRUE(file) << to_string(file.error());
        return file ? *std::move(file) : nullptr;
    }

    void write_file(std::string_view path, std::string_view text) {
        ASSERT_TRUE(open(path, OpenMode::Truncate)->write_at(0, as_bytes(text)));
    }

    std::string read_file(std::string_view path) {
        const auto file = open(path, OpenMode::Read);
        return file ? read(*file, 0, 1 << 20) : "<cannot be opened>";
    }

    static std::string read(const File& file, std::uint64_t offset, std::size_t size) {
        Bytes out(size, 0xEE);
        const auto count = file.read_at(offset, out);
        EXPECT_TRUE(count) << to_string(count.error());
        return std::string(as_text(ByteView(out).first(count.value_or(0))));
    }

    template <class T>
    static Errc code(const Result<T>& result) {
        EXPECT_FALSE(result.has_value());
        EXPECT_FALSE(result.has_value() || result.error().context.empty());
        return result ? Errc::Io : result.error().code;
    }

private:
    std::shared_ptr<Disk> disk_ = GetParam().make();
};

// Reads return what was written, fewer bytes only at the end, and zeros in holes.
TEST_P(DiskContract, ReadsReturnWhatWasWritten) {
    const auto file = open("f");
    EXPECT_EQ(read(*file, 0, 10), "");
    ASSERT_TRUE(file->write_at(0, as_bytes("hello")));
    ASSERT_TRUE(file->write_at(2, as_bytes("LL")));
    EXPECT_EQ(read(*file, 0, 10), "heLLo");
    EXPECT_EQ(read(*file, 3, 2), "Lo");
    EXPECT_EQ(read(*file, 5, 1), "");
    EXPECT_EQ(read(*file, 900, 1), "");
    ASSERT_TRUE(file->write_at(7, as_bytes("!")));
    EXPECT_EQ(read(*file, 0, 10), std::string("heLLo\0\0!", 8));
    ASSERT_TRUE(file->write_at(100, {}));
    EXPECT_EQ(file->size().value(), 8);
    ASSERT_TRUE(file->sync());
}

// A file of which is said that nobody will read it holds what a file holds of which nothing is
// said, whatever the places and sizes of the writes, also for those who do read it.
TEST_P(DiskContract, AHintChangesNoResult) {
    const std::uint64_t seed = test_seed(1);
    SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    constexpr std::size_t kBytesMax = std::size_t{2} << 20;
    const auto hinted = open("hinted");
    hinted->expect_no_readers();
    Bytes model;
    for (int i = 0; i < 150; ++i) {
        // Around what an implementation may write in one piece, or round to.
        const std::size_t around = std::size_t{1} << (6 + random() % 14);
        const std::size_t size = around - 5 + random() % 10;
        const std::size_t from =
            random() % 3 == 0 ? random() % kBytesMax / 4096 * 4096 : random() % (model.size() + 1);
        const std::size_t offset = std::min(from, kBytesMax - size);
        const Bytes piece(size, static_cast<std::uint8_t>(i + 1));
        if (random() % 20 == 0) {
            model.resize(offset);
            ASSERT_TRUE(hinted->truncate(offset));
        }
        model.resize(std::max(model.size(), offset + size));
        std::ranges::copy(piece, model.begin() + static_cast<std::ptrdiff_t>(offset));
        ASSERT_TRUE(hinted->write_at(offset, piece));
        const auto other = open("hinted", OpenMode::Read);
        ASSERT_TRUE(read(i % 2 == 0 ? *hinted : *other, 0, kBytesMax + 1) == as_text(model))
            << "write " << i;
    }
    ASSERT_TRUE(hinted->sync());
    EXPECT_EQ(hinted->size().value(), model.size());
}

// Truncation cuts and grows with zeros; preallocation grows but never cuts.
TEST_P(DiskContract, TruncateAndPreallocateSetTheSize) {
    const auto file = open("f");
    ASSERT_TRUE(file->write_at(0, as_bytes("hello")));
    ASSERT_TRUE(file->truncate(2));
    ASSERT_TRUE(file->truncate(4));
    EXPECT_EQ(read(*file, 0, 10), std::string("he\0\0", 4));
    ASSERT_TRUE(file->preallocate(6));
    EXPECT_EQ(read(*file, 0, 10), std::string("he\0\0\0\0", 6));
    ASSERT_TRUE(file->preallocate(3));
    ASSERT_TRUE(file->preallocate(0));
    EXPECT_EQ(file->size().value(), 6);
}

// Each OpenMode creates, keeps, empties or refuses as it says.
TEST_P(DiskContract, OpenModesDoWhatTheySay) {
    EXPECT_EQ(code(disk().open("f", OpenMode::Read)), Errc::NotFound);
    EXPECT_EQ(code(disk().open("f", OpenMode::ReadWrite)), Errc::NotFound);
    EXPECT_EQ(code(disk().open("no/f", OpenMode::Create)), Errc::NotFound);
    ASSERT_TRUE(open("f", OpenMode::CreateNew)->write_at(0, as_bytes("abc")));
    EXPECT_EQ(code(disk().open("f", OpenMode::CreateNew)), Errc::AlreadyExists);
    EXPECT_EQ(read(*open("f", OpenMode::Create), 0, 9), "abc");
    EXPECT_EQ(read(*open("f", OpenMode::ReadWrite), 0, 9), "abc");
    EXPECT_EQ(read(*open("f", OpenMode::Truncate), 0, 9), "");
    ASSERT_TRUE(disk().create_directory("d"));
    EXPECT_EQ(code(disk().open("d", OpenMode::Read)), Errc::InvalidArgument);
    EXPECT_EQ(code(disk().open("d", OpenMode::Create)), Errc::InvalidArgument);
}

// A file opened for reading refuses every change.
TEST_P(DiskContract, ReadOnlyFilesRefuseChanges) {
    write_file("f", "abc");
    const auto file = open("f", OpenMode::Read);
    EXPECT_EQ(code(file->write_at(0, as_bytes("x"))), Errc::InvalidArgument);
    EXPECT_EQ(code(file->truncate(0)), Errc::InvalidArgument);
    EXPECT_EQ(code(file->preallocate(9)), Errc::InvalidArgument);
    EXPECT_EQ(read(*file, 0, 9), "abc");
}

// No path leads out of the disk: only plain names joined by '/' are paths.
TEST_P(DiskContract, RefusesPathsThatAreNotPlainNames) {
    using namespace std::string_view_literals;
    for (const std::string_view path :
         {"/f"sv, "../f"sv, "d/../f"sv, "."sv, ".."sv, "d/"sv, "d//f"sv, "./f"sv, "a\0b"sv}) {
        SCOPED_TRACE(path);
        EXPECT_EQ(code(disk().open(path, OpenMode::Create)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().remove(path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().rename(path, "x")), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().rename("x", path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().create_directory(path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().remove_directory(path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().sync_directory(path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().list(path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().exists(path)), Errc::InvalidArgument);
        EXPECT_EQ(code(disk().lock(path)), Errc::InvalidArgument);
    }
}

// A rename moves names between directories and replaces files, but never a directory.
TEST_P(DiskContract, RenamesReplaceFilesOnly) {
    ASSERT_TRUE(disk().create_directory("d"));
    ASSERT_TRUE(disk().create_directory("empty"));
    write_file("a", "A");
    write_file("d/b", "B");
    EXPECT_EQ(code(disk().rename("no", "x")), Errc::NotFound);
    EXPECT_EQ(code(disk().rename("a", "no/x")), Errc::NotFound);
    EXPECT_EQ(code(disk().rename("a", "d")), Errc::AlreadyExists);
    EXPECT_EQ(code(disk().rename("d", "a")), Errc::AlreadyExists);
    EXPECT_EQ(code(disk().rename("d", "empty")), Errc::AlreadyExists);
    EXPECT_EQ(code(disk().rename("d", "d/inside")), Errc::InvalidArgument);
    ASSERT_TRUE(disk().rename("a", "d/b"));
    EXPECT_EQ(read_file("d/b"), "A");
    EXPECT_FALSE(disk().exists("a").value());
    ASSERT_TRUE(disk().rename("d", "e"));
    ASSERT_TRUE(disk().rename("e", "e"));
    EXPECT_EQ(read_file("e/b"), "A");
}

// An open file outlives its name.
TEST_P(DiskContract, OpenFilesOutliveTheirNames) {
    const auto file = open("f");
    ASSERT_TRUE(file->write_at(0, as_bytes("abc")));
    ASSERT_TRUE(disk().remove("f"));
    EXPECT_FALSE(disk().exists("f").value());
    EXPECT_EQ(read(*file, 0, 9), "abc");
    write_file("f", "new");
    EXPECT_EQ(read(*file, 0, 9), "abc");
}

// Directories are created with their parents, listed in order, and removed only when empty.
TEST_P(DiskContract, DirectoriesHoldNames) {
    EXPECT_EQ(disk().list("").value(), std::vector<DirectoryEntry>{});
    ASSERT_TRUE(disk().create_directory("d/e"));
    ASSERT_TRUE(disk().create_directory("d/e"));
    write_file("d/z", "");
    write_file("d/B", "");
    write_file("d/a", "");
    const std::vector<DirectoryEntry> expected{
        {"B", false}, {"a", false}, {"e", true}, {"z", false}};
    EXPECT_EQ(disk().list("d").value(), expected);
    EXPECT_EQ(disk().list("").value(), (std::vector<DirectoryEntry>{{"d", true}}));
    EXPECT_TRUE(disk().exists("d").value());
    EXPECT_TRUE(disk().exists("d/a").value());
    EXPECT_FALSE(disk().exists("d/a/x").value());
    EXPECT_FALSE(disk().exists("x/y").value());
    EXPECT_EQ(code(disk().create_directory("d/a")), Errc::AlreadyExists);
    EXPECT_EQ(code(disk().list("x")), Errc::NotFound);
    EXPECT_EQ(code(disk().list("d/a")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk().remove("d")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk().remove("x")), Errc::NotFound);
    EXPECT_EQ(code(disk().remove_directory("d")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk().remove_directory("d/a")), Errc::InvalidArgument);
    EXPECT_EQ(code(disk().remove_directory("x")), Errc::NotFound);
    ASSERT_TRUE(disk().remove_directory("d/e"));
    ASSERT_TRUE(disk().sync_directory("d"));
    ASSERT_TRUE(disk().sync_directory(""));
    EXPECT_EQ(code(disk().sync_directory("x")), Errc::NotFound);
}

// One holder at a time; the lock is free again when the holder lets go, and its file stays.
TEST_P(DiskContract, LocksAreExclusive) {
    auto held = disk().lock("LOCK");
    ASSERT_TRUE(held) << to_string(held.error());
    EXPECT_EQ(code(disk().lock("LOCK")), Errc::Unavailable);
    EXPECT_TRUE(disk().lock("OTHER"));
    held->reset();
    EXPECT_TRUE(disk().exists("LOCK").value());
    EXPECT_TRUE(disk().lock("LOCK"));
}

}  // namespace draco::testing
