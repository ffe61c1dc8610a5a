#include "draco/io/posix_disk.hpp"

#include "draco/testing/disk_contract.hpp"

#include "temporary_directory.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace {

// What was synced last, as far as fsync() was called by this process.
struct stat last_synced{};

// What direct writes from this offset on fail with; 0: they do not.
int direct_write_error = 0;
off_t direct_write_error_from = 0;

}  // namespace

// Stands before the C library's, to see what is synced.
extern "C" int fsync(int fd) {
    ::fstat(fd, &last_synced);
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

// And to be a file system that refuses to write past its cache.
extern "C" ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset) {
    if (direct_write_error != 0 && offset >= direct_write_error_from &&
        (::fcntl(fd, F_GETFL) & O_DIRECT) != 0) {
        errno = direct_write_error;
        return -1;
    }
    return ::syscall(SYS_pwrite64, fd, data, size, offset);
}

namespace draco::testing {

namespace {

std::shared_ptr<Disk> make_posix_disk() {
    struct Owned {
        io::testing::TemporaryDirectory directory;
        std::unique_ptr<Disk> disk;
    };

    auto owned = std::make_shared<Owned>();
    owned->disk = io::PosixDisk::open_root(owned->directory.path()).value();
    return {owned, owned->disk.get()};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Posix,
                         DiskContract,
                         ::testing::Values(DiskMaker{"posix", make_posix_disk}));

}  // namespace draco::testing

namespace draco::io::testing {
namespace {

class PosixDiskTest : public ::testing::Test {
protected:
    void write(const std::string& path, std::string_view text) {
        auto file = disk->open(path, OpenMode::Create);
        ASSERT_TRUE(file) << to_string(file.error());
        ASSERT_TRUE((*file)->write_at(0, as_bytes(text)));
    }

    TemporaryDirectory outside;
    TemporaryDirectory directory;
    std::unique_ptr<Disk> disk = PosixDisk::open_root(directory.path()).value();
};

// No operation goes through a symbolic link, neither as a directory on the way nor as the file.
TEST_F(PosixDiskTest, RefusesToFollowSymbolicLinks) {
    std::ofstream(outside.path() + "/secret") << "secret";
    std::filesystem::create_directory(outside.path() + "/sub");
    std::filesystem::create_symlink(outside.path(), directory.path() + "/way");
    std::filesystem::create_symlink(outside.path() + "/secret", directory.path() + "/file");
    for (const auto mode :
         {OpenMode::Read, OpenMode::ReadWrite, OpenMode::Create, OpenMode::Truncate})
        for (const char* path : {"way/secret", "way/new", "file"})
            EXPECT_FALSE(disk->open(path, mode)) << path;
    EXPECT_EQ(disk->open("file", OpenMode::Read).error().code, Errc::InvalidArgument);
    write("mine", "x");
    EXPECT_FALSE(disk->rename("mine", "way/mine"));
    EXPECT_FALSE(disk->remove("way/secret"));
    EXPECT_FALSE(disk->create_directory("way/d"));
    EXPECT_FALSE(disk->remove_directory("way/sub"));
    EXPECT_FALSE(disk->sync_directory("way"));
    EXPECT_FALSE(disk->list("way"));
    EXPECT_FALSE(disk->lock("file"));
    EXPECT_FALSE(disk->exists("way/secret").value());
    EXPECT_TRUE(std::filesystem::exists(outside.path() + "/secret"));
}

// A pipe in the place of a file is refused and does not block.
TEST_F(PosixDiskTest, RefusesPipes) {
    ASSERT_EQ(::mkfifo((directory.path() + "/pipe").c_str(), 0600), 0);
    EXPECT_EQ(disk->open("pipe", OpenMode::Read).error().code, Errc::InvalidArgument);
}

// Offsets that the operating system cannot express are typed errors.
TEST_F(PosixDiskTest, RefusesOffsetsPastTheEndOfAnyFile) {
    auto file = disk->open("f", OpenMode::Create).value();
    const std::uint64_t past = std::uint64_t{1} << 63;
    Bytes out(1);
    EXPECT_EQ(file->read_at(past, out).error().code, Errc::InvalidArgument);
    EXPECT_EQ(file->read_at(~std::uint64_t{0}, out).error().code, Errc::InvalidArgument);
    EXPECT_EQ(file->write_at(past - 1, out).error().code, Errc::InvalidArgument);
    EXPECT_EQ(file->truncate(past).error().code, Errc::InvalidArgument);
    EXPECT_EQ(file->preallocate(past).error().code, Errc::InvalidArgument);
}

// A file that may not grow further is Exhausted, with the remedy in the text.
TEST_F(PosixDiskTest, ReportsExhaustion) {
    auto file = disk->open("f", OpenMode::Create).value();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = file->write_at(0, Bytes(10000));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_DFL);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::Exhausted);
    EXPECT_NE(written.error().context.find(directory.path() + "/f"), std::string::npos);
}

// Threads may read and write one file at the same time; each range holds what its writer wrote,
// past the cache too, where neighbours share a block.
TEST_F(PosixDiskTest, ReadsAndWritesOverlapInTime) {
    constexpr std::size_t kThreads = 4;
    for (const std::size_t piece_bytes : {1'000U, 70'000U}) {
        auto file = disk->open("f" + std::to_string(piece_bytes), OpenMode::Create).value();
        file->expect_no_readers();
        const auto work = [&](std::size_t worker) {
            for (std::size_t i = worker; i < 200; i += kThreads) {
                const Bytes piece(piece_bytes, static_cast<std::uint8_t>(i));
                EXPECT_TRUE(file->write_at(i * piece_bytes, piece));
                Bytes out(piece_bytes);
                EXPECT_EQ(file->read_at(i * piece_bytes, out).value(), piece_bytes);
                EXPECT_TRUE(out == piece);
            }
        };
        std::vector<std::jthread> threads;
        threads.reserve(kThreads);
        for (std::size_t worker = 0; worker < kThreads; ++worker)
            threads.emplace_back(work, worker);
        threads.clear();
        EXPECT_EQ(file->size().value(), 200 * piece_bytes);
    }
}

// What is written after the hint does not stay in the system's memory, and is there all the same;
// without the hint it does stay.
TEST_F(PosixDiskTest, LargeWritesAfterTheHintGoPastTheCache) {
    const Bytes data(std::size_t{1} << 20, 7);
    // -1: not in memory.
    const auto cached = [&](const std::string& name) {
        const FileDescriptor fd(::open((directory.path() + "/" + name).c_str(), O_RDONLY));
        Bytes out(4096);
        const iovec into{out.data(), out.size()};
        return ::preadv2(fd.get(), &into, 1, 512 << 10, RWF_NOWAIT);
    };
    for (const char* name : {"plain", "hinted"}) {
        auto file = disk->open(name, OpenMode::Create).value();
        ASSERT_TRUE(file->preallocate(data.size()));
        if (name == std::string_view("hinted")) file->expect_no_readers();
        ASSERT_TRUE(file->write_at(0, data));
        ASSERT_TRUE(file->sync());
    }
    if (cached("plain") < 0) GTEST_SKIP() << "this file system does not tell what is in memory";
    // It may take the flag and keep everything all the same.
    const FileDescriptor direct(::open((directory.path() + "/plain").c_str(), O_WRONLY | O_DIRECT));
    const std::unique_ptr<void, void (*)(void*)> block(std::aligned_alloc(4096, 4096), std::free);
    std::memset(block.get(), 7, 4096);
    if (::pwrite(direct.get(), block.get(), 4096, 512 << 10) != 4096 || cached("plain") >= 0)
        GTEST_SKIP() << "this file system has no way past the cache";
    EXPECT_EQ(cached("hinted"), -1);
    Bytes out(data.size());
    ASSERT_EQ(disk->open("hinted", OpenMode::Read).value()->read_at(0, out).value(), data.size());
    EXPECT_EQ(out, data);
    EXPECT_EQ(cached("hinted"), 4096);
}

// Where whole blocks do not fit any more, what fits is written and the rest is Exhausted, as
// without the hint.
TEST_F(PosixDiskTest, ReportsExhaustionPastTheCache) {
    auto file = disk->open("f", OpenMode::Create).value();
    file->expect_no_readers();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{100'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = file->write_at(0, Bytes(300'000, 1));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_DFL);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::Exhausted);
    ASSERT_TRUE(file->write_at(0, Bytes(300'000, 2)));
    EXPECT_EQ(file->size().value(), 300'000);
}

// A file system that cannot write past its cache, at once or half way, whatever it calls that, is
// written to through it.
TEST_F(PosixDiskTest, AnyRefusalToGoPastTheCacheChangesNoResult) {
    for (const int error : {EINVAL, EOPNOTSUPP, ENOSYS, ENOMEM, EIO})
        for (const off_t from : {0, 300'000}) {
            auto file = disk->open("f", OpenMode::Truncate).value();
            file->expect_no_readers();
            const Bytes data(1'000'003, 3);
            direct_write_error = error;
            direct_write_error_from = from;
            const auto written = file->write_at(5, data);
            direct_write_error = 0;
            ASSERT_TRUE(written) << written.error().context;
            Bytes out(data.size() + 1);
            ASSERT_EQ(file->read_at(5, out).value(), data.size());
            out.pop_back();
            EXPECT_TRUE(out == data) << error << ' ' << from;
        }
}

// A lock excludes other processes, names its holder to them, and is free when the holder dies.
TEST_F(PosixDiskTest, LocksExcludeOtherProcesses) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = disk->lock("LOCK");
        const char answer = lock ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) == 1) ::pause();
        ::_exit(1);
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    const auto refused = disk->lock("LOCK");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Unavailable);
    EXPECT_NE(refused.error().context.find("process " + std::to_string(child)), std::string::npos)
        << refused.error().context;
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(disk->lock("LOCK"));
    ::close(ready[0]);
    ::close(ready[1]);
}

// A root is created where its parent exists; anything else says what is wrong with which path.
TEST_F(PosixDiskTest, OpensOrCreatesItsRoot) {
    EXPECT_TRUE(PosixDisk::open_root(directory.path() + "/new"));
    EXPECT_TRUE(disk->exists("new").value());
    EXPECT_EQ(PosixDisk::open_root(directory.path() + "/no/new").error().code, Errc::NotFound);
    write("file", "");
    EXPECT_EQ(PosixDisk::open_root(directory.path() + "/file").error().code, Errc::InvalidArgument);
}

// The name of a root that is created is synced in its parent, however the path is written; opening
// one that is there syncs nothing.
TEST_F(PosixDiskTest, MakesTheNameOfANewRootDurable) {
    struct stat parent{};
    ASSERT_EQ(::stat(directory.path().c_str(), &parent), 0);
    for (const char* name : {"/plain", "/slash/"}) {
        last_synced = {};
        const std::string root = directory.path() + name;
        ASSERT_TRUE(PosixDisk::open_root(root));
        EXPECT_EQ(last_synced.st_ino, parent.st_ino) << name;
        EXPECT_EQ(last_synced.st_dev, parent.st_dev) << name;
        last_synced = {};
        ASSERT_TRUE(PosixDisk::open_root(root));
        EXPECT_EQ(last_synced.st_ino, 0);
    }
}

}  // namespace
}  // namespace draco::io::testing
