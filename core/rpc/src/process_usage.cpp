#include "draco/rpc/process_usage.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace draco::rpc {
namespace {

// proc(5): fields 14 and 15 of stat are ticks of user and system time, 24 is pages in memory. The
// second field, a name in parentheses, may contain anything.
constexpr std::size_t kFirstFieldAfterName = 3;
constexpr std::size_t kUserTicks = 14;
constexpr std::size_t kSystemTicks = 15;
constexpr std::size_t kResidentPages = 24;

std::uint64_t field(std::string_view after_name, std::size_t number) {
    for (std::size_t i = kFirstFieldAfterName; i < number; ++i) {
        const auto space = after_name.find(' ');
        if (space == std::string_view::npos) return 0;
        after_name.remove_prefix(space + 1);
    }
    std::uint64_t value = 0;
    std::from_chars(after_name.data(), after_name.data() + after_name.size(), value);
    return value;
}

std::uint64_t system_value(int name) {
    const long value = ::sysconf(name);
    return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

std::uint64_t count_open_fds() {
    std::error_code error;
    std::uint64_t count = 0;
    for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
         !error && entry != end;
         entry.increment(error))
        ++count;
    return count;
}

}  // namespace

ProcessUsage read_process_usage() {
    ProcessUsage usage;
    usage.open_fds = count_open_fds();
    std::ifstream file("/proc/self/stat");
    std::string stat;
    std::getline(file, stat);
    const auto name_end = stat.rfind(") ");
    if (name_end == std::string::npos) return usage;
    const std::string_view after_name = std::string_view(stat).substr(name_end + 2);
    const std::uint64_t ticks_per_second = system_value(_SC_CLK_TCK);
    if (ticks_per_second > 0)
        usage.cpu_ms = (field(after_name, kUserTicks) + field(after_name, kSystemTicks)) * 1000 /
                       ticks_per_second;
    usage.rss_bytes = field(after_name, kResidentPages) * system_value(_SC_PAGESIZE);
    return usage;
}

}  // namespace draco::rpc
