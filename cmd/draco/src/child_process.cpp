#include "child_process.hpp"

#include "draco/io/file_descriptor.hpp"
#include "draco/io/system_clock.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace draco {
namespace {

constexpr auto kWatchEvery = std::chrono::milliseconds(50);
constexpr auto kKillPatience = std::chrono::seconds(5);

struct ProcessStat {
    char state = 'Z';
    std::uint64_t cpu_ticks = 0;
    std::uint64_t started_ticks = 0;
    std::uint64_t rss_pages = 0;
};

// proc(5). The name in parentheses may hold anything.
std::optional<ProcessStat> read_stat(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(text.substr(name_end + 1));
    ProcessStat stat;
    std::string skipped;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    fields >> stat.state;
    for (int field = 4; field <= 13; ++field) fields >> skipped;
    fields >> user >> system;
    for (int field = 16; field <= 21; ++field) fields >> skipped;
    fields >> stat.started_ticks >> skipped >> stat.rss_pages;
    if (!fields) return std::nullopt;
    stat.cpu_ticks = user + system;
    return stat;
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* arguments, int output, Lifetime lifetime, pid_t parent) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (lifetime == Lifetime::OfItsOwn) {
        ::setsid();
    } else {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(1);
    }
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing < 0) ::_exit(127);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv("/proc/self/exe", arguments);
    ::_exit(127);
}

}  // namespace

Result<ProcessMark> start_self(const std::vector<std::string>& arguments,
                               const std::string& output,
                               Lifetime lifetime) {
    const io::FileDescriptor file(
        ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0)
        return fail(Errc::Io, "cannot open " + output + ": " + std::strerror(errno));
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
    if (child == 0) become(pointers.data(), file.get(), lifetime, parent);
    const auto stat = read_stat(child);
    if (!stat) return fail(Errc::Io, "cannot read /proc/" + std::to_string(child) + "/stat");
    return ProcessMark{.pid = child, .started_ticks = stat->started_ticks};
}

bool is_running(const ProcessMark& process) {
    if (process.pid <= 0) return false;
    int status = 0;
    ::waitpid(process.pid, &status, WNOHANG);
    const auto stat = read_stat(process.pid);
    return stat && stat->started_ticks == process.started_ticks && stat->state != 'Z' &&
           stat->state != 'X';
}

void end_processes(const std::vector<ProcessMark>& processes, Duration patience) {
    const io::SystemClock clock;
    const auto running = [&] { return std::ranges::count_if(processes, is_running); };
    const auto wait_until = [&](Instant deadline) {
        while (running() != 0 && clock.now() < deadline) std::this_thread::sleep_for(kWatchEvery);
    };
    for (const ProcessMark& process : processes)
        if (is_running(process)) ::kill(process.pid, SIGTERM);
    wait_until(clock.now() + patience);
    for (const ProcessMark& process : processes) {
        if (!is_running(process)) continue;
        std::fprintf(stderr,
                     "draco: process %d did not end when asked to and is killed\n",
                     static_cast<int>(process.pid));
        ::kill(process.pid, SIGKILL);
    }
    wait_until(clock.now() + kKillPatience);
}

Result<ProcessLoad> load_of(const ProcessMark& process) {
    const auto stat = read_stat(process.pid);
    if (!stat || stat->started_ticks != process.started_ticks)
        return fail(Errc::NotFound, "process " + std::to_string(process.pid) + " has ended");
    const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
    const auto ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
    return ProcessLoad{.rss_mb = static_cast<double>(stat->rss_pages) * page_bytes / 1e6,
                       .cpu_s = static_cast<double>(stat->cpu_ticks) / ticks_per_s};
}

}  // namespace draco
