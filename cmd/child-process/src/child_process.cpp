#include "draco/child_process/child_process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

namespace draco::child_process {
namespace {

constexpr int kCannotRun = 127;

void bind_lifetime(Lifetime lifetime, pid_t parent) {
    switch (lifetime) {
        case Lifetime::KilledWithParent:
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            break;
        case Lifetime::EndedWithParent:
            ::setpgid(0, 0);
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            break;
        case Lifetime::OfItsOwn:
            ::setsid();
            return;
    }
    // It may have ended before.
    if (::getppid() != parent) ::_exit(kCannotRun);
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* arguments,
                         const Streams& streams,
                         Lifetime lifetime,
                         pid_t parent) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    bind_lifetime(lifetime, parent);
    ::dup2(streams.input, STDIN_FILENO);
    ::dup2(streams.output, STDOUT_FILENO);
    ::dup2(streams.errors, STDERR_FILENO);
    ::execv("/proc/self/exe", arguments);
    ::_exit(kCannotRun);
}

}  // namespace

Result<pid_t> start_self(const std::vector<std::string>& arguments,
                         const Streams& streams,
                         Lifetime lifetime) {
    std::vector<std::string> words = {"draco"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0)
        return fail(Errc::Exhausted,
                    std::string("cannot start a process: ") + std::strerror(errno));
    if (child == 0) become(pointers.data(), streams, lifetime, parent);
    return child;
}

// The name in parentheses may hold anything.
std::optional<ProcessStat> read_stat(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(text.substr(name_end + 1));
    ProcessStat stat;
    std::string skipped;
    std::uint64_t user_ticks = 0;
    std::uint64_t system_ticks = 0;
    std::uint64_t rss_pages = 0;
    fields >> stat.state;
    for (int field = 4; field <= 13; ++field) fields >> skipped;
    fields >> user_ticks >> system_ticks;
    for (int field = 16; field <= 21; ++field) fields >> skipped;
    fields >> stat.started_ticks >> skipped >> rss_pages;
    if (!fields) return std::nullopt;
    stat.cpu_s = static_cast<double>(user_ticks + system_ticks) /
                 static_cast<double>(::sysconf(_SC_CLK_TCK));
    stat.rss_bytes = rss_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return stat;
}

}  // namespace draco::child_process
