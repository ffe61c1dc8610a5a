#include "child.hpp"

#include "draco/child_process/child_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <utility>

namespace draco::consensus_bench {
namespace {

struct Pipe {
    io::FileDescriptor read;
    io::FileDescriptor write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail(Errc::Exhausted, std::string("cannot make a pipe: ") + std::strerror(errno));
    return Pipe{io::FileDescriptor(ends[0]), io::FileDescriptor(ends[1])};
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& arguments) {
    DRACO_TRY(input, make_pipe());
    DRACO_TRY(output, make_pipe());
    DRACO_TRY(
        pid,
        child_process::start_self(
            arguments,
            {.input = input.read.get(), .output = output.write.get(), .errors = STDERR_FILENO},
            child_process::Lifetime::KilledWithParent));
    const int descriptor = ::fcntl(output.read.get(), F_DUPFD_CLOEXEC, 0);
    return Child(pid, std::move(input.write), ::fdopen(descriptor, "r"));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)) {}

Child::~Child() {
    kill();
}

Result<std::string> Child::ask(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(input_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return fail(Errc::Unavailable, "a process of the bench has ended");
    return read_line();
}

Result<std::string> Child::read_line() {
    std::string line;
    for (int c = std::fgetc(output_.get()); c != '\n'; c = std::fgetc(output_.get())) {
        if (c == EOF) return fail(Errc::Unavailable, "a process of the bench has ended");
        line.push_back(static_cast<char>(c));
    }
    return line;
}

Result<ProcessUse> Child::use() const {
    const auto stat = child_process::read_stat(pid_);
    if (!stat) return fail(Errc::Unavailable, "a process of the bench has ended");
    ProcessUse use;
    use.cpu_s = stat->cpu_s;
    // proc(5).
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) use.rss_peak_mb = std::stod(line.substr(6)) * 1024 / 1e6;
    return use;
}

void Child::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

bool Child::has_ended() {
    if (pid_ <= 0) return true;
    if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
}

}  // namespace draco::consensus_bench
