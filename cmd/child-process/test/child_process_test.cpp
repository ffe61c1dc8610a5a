// A child is this program with the arguments that it was given, its streams where they were put,
// and as bound to its parent as was asked. The test starts itself.
#include "draco/child_process/child_process.hpp"

#include "draco/io/file_descriptor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

namespace draco::child_process {
namespace {

struct Pipe {
    io::FileDescriptor read;
    io::FileDescriptor write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {io::FileDescriptor(ends[0]), io::FileDescriptor(ends[1])};
}

std::string read_all(int descriptor) {
    std::string all;
    std::array<char, 256> piece{};
    for (ssize_t count = 1; count > 0;) {
        count = ::read(descriptor, piece.data(), piece.size());
        if (count > 0) all.append(piece.data(), static_cast<std::size_t>(count));
    }
    return all;
}

int exit_code(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What a child does, when it is asked for by name: says where it stands, and waits for its end.
TEST(ChildProcess, DISABLED_Child) {
    const std::string where = "session " + std::to_string(::getsid(0)) + " group " +
                              std::to_string(::getpgrp()) + " parent " +
                              std::to_string(::getppid()) + "\n";
    ASSERT_EQ(::write(STDERR_FILENO, where.data(), where.size()),
              static_cast<ssize_t>(where.size()));
    EXPECT_EQ(read_all(STDIN_FILENO), "go");
}

struct Started {
    pid_t child = 0;
    std::string where{};
};

Started start(Lifetime lifetime) {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    Pipe errors = make_pipe();
    const auto child = start_self(
        {"--gtest_also_run_disabled_tests", "--gtest_filter=ChildProcess.DISABLED_Child"},
        {.input = input.read.get(), .output = output.write.get(), .errors = errors.write.get()},
        lifetime);
    EXPECT_TRUE(child);
    // Its own copies keep the streams of the child open.
    input.read = io::FileDescriptor();
    output.write = io::FileDescriptor();
    errors.write = io::FileDescriptor();
    Started started{.child = *child};
    for (char c = 0; c != '\n';) {
        if (::read(errors.read.get(), &c, 1) != 1) break;
        started.where += c;
    }
    const auto stat = read_stat(*child);
    EXPECT_TRUE(stat);
    EXPECT_NE(stat->state, 'Z');
    EXPECT_GT(stat->started_ticks, 0);
    EXPECT_GT(stat->rss_bytes, 0);
    EXPECT_EQ(::write(input.write.get(), "go", 2), 2);
    input.write = io::FileDescriptor();
    EXPECT_NE(read_all(output.read.get()).find("[  PASSED  ] 1 test"), std::string::npos);
    EXPECT_EQ(exit_code(*child), 0);
    EXPECT_FALSE(read_stat(*child));
    return started;
}

std::string place(pid_t session, pid_t group) {
    return "session " + std::to_string(session) + " group " + std::to_string(group) + " parent " +
           std::to_string(::getpid()) + "\n";
}

TEST(ChildProcess, StandsWhereItIsPut) {
    const Started killed = start(Lifetime::KilledWithParent);
    EXPECT_EQ(killed.where, place(::getsid(0), ::getpgrp()));
    const Started ended = start(Lifetime::EndedWithParent);
    EXPECT_EQ(ended.where, place(::getsid(0), ended.child));
    const Started own = start(Lifetime::OfItsOwn);
    EXPECT_EQ(own.where, place(own.child, own.child));
}

// A process that has ended and was not waited for is known as that.
TEST(ChildProcess, AnEndedChildIsAZombieUntilItIsWaitedFor) {
    const Pipe streams = make_pipe();
    const auto child = start_self(
        {"--gtest_list_tests"},
        {.input = streams.read.get(), .output = streams.write.get(), .errors = streams.write.get()},
        Lifetime::KilledWithParent);
    ASSERT_TRUE(child);
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(*child), &ended, WEXITED | WNOWAIT), 0);
    const auto stat = read_stat(*child);
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->state, 'Z');
    EXPECT_EQ(exit_code(*child), 0);
}

}  // namespace
}  // namespace draco::child_process
