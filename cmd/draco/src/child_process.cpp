#include "child_process.hpp"

#include "draco/io/file_descriptor.hpp"
#include "draco/io/system_clock.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

namespace draco {
namespace {

constexpr auto kWatchEvery = std::chrono::milliseconds(50);
constexpr auto kKillPatience = std::chrono::seconds(5);

}  // namespace

Result<ProcessMark> start_logged(const std::vector<std::string>& arguments,
                                 const std::string& output,
                                 child_process::Lifetime lifetime) {
    const io::FileDescriptor file(
        ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0)
        return fail(Errc::Io, "cannot open " + output + ": " + std::strerror(errno));
    const io::FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (nothing.get() < 0)
        return fail(Errc::Io, std::string("cannot open /dev/null: ") + std::strerror(errno));
    DRACO_TRY(child,
              child_process::start_self(
                  arguments,
                  {.input = nothing.get(), .output = file.get(), .errors = file.get()},
                  lifetime));
    const auto stat = child_process::read_stat(child);
    if (!stat) return fail(Errc::Io, "cannot read /proc/" + std::to_string(child) + "/stat");
    return ProcessMark{.pid = child, .started_ticks = stat->started_ticks};
}

bool is_running(const ProcessMark& process) {
    if (process.pid <= 0) return false;
    int status = 0;
    ::waitpid(process.pid, &status, WNOHANG);
    const auto stat = child_process::read_stat(process.pid);
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
    const auto stat = child_process::read_stat(process.pid);
    if (!stat || stat->started_ticks != process.started_ticks)
        return fail(Errc::NotFound, "process " + std::to_string(process.pid) + " has ended");
    return ProcessLoad{.rss_mb = static_cast<double>(stat->rss_bytes) / 1e6, .cpu_s = stat->cpu_s};
}

}  // namespace draco
