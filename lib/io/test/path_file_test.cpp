#include "draco/io/path_file.hpp"

#include "draco/io/file_descriptor.hpp"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace draco::io {
namespace {

class PathFile : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::path(::testing::TempDir()) /
                  ("path_file_" + std::to_string(::getpid()));
        std::filesystem::create_directory(folder_);
        std::ofstream(folder_ / "real") << "content";
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const char* name) const { return (folder_ / name).string(); }

    std::filesystem::path folder_;
};

TEST_F(PathFile, FollowsLinksAndReads) {
    // What a person names is what is read, also through a symbolic link; writing is refused.
    std::filesystem::create_symlink("real", folder_ / "link");
    const auto file = open_for_reading(path("link"));
    ASSERT_TRUE(file.has_value());
    Bytes content(16);
    ASSERT_EQ((*file)->read_at(3, content).value(), 4U);
    EXPECT_EQ(as_text(ByteView(content).first(4)), "tent");
    EXPECT_EQ((*file)->write_at(0, content).error().code, Errc::InvalidArgument);
}

TEST_F(PathFile, SaysWhatCannotBeRead) {
    // A missing file, a directory and a pipe are different errors. The pipe is not even opened: who
    // waits to write to it would lose what it writes.
    EXPECT_EQ(open_for_reading(path("missing")).error().code, Errc::NotFound);
    EXPECT_EQ(open_for_reading(folder_.string()).error().code, Errc::InvalidArgument);
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    const FileDescriptor seen(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    ASSERT_GE(::inotify_add_watch(seen.get(), path("pipe").c_str(), IN_OPEN), 0);
    EXPECT_EQ(open_for_reading(path("pipe")).error().code, Errc::Unavailable);
    char event[4096];
    EXPECT_LT(::read(seen.get(), event, sizeof event), 0) << "it was opened";
}

}  // namespace
}  // namespace draco::io
