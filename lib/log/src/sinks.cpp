#include "draco/log/sinks.hpp"

#include <algorithm>
#include <cstdio>

namespace draco::log {
namespace {

std::string_view colour_of(Level level) {
    switch (level) {
        case Level::Trace:
        case Level::Debug:
            return "\033[2m";
        case Level::Info:
            return "";
        case Level::Warn:
            return "\033[33m";
        case Level::Error:
            return "\033[31m";
    }
    return "";
}

}  // namespace

TerminalLog::TerminalLog(const Clock& clock, Level level, bool coloured)
    : clock_(clock), level_(level), coloured_(coloured) {}

void TerminalLog::write(Level level,
                        std::string_view component,
                        std::string_view message,
                        std::span<const Field> fields) {
    std::string line = format_line(LineFormat::Text,
                                   {.time = clock_.unix_now(),
                                    .level = level,
                                    .component = component,
                                    .text = message,
                                    .fields = fields});
    if (coloured_ && !colour_of(level).empty())
        line = std::string(colour_of(level)) + line + "\033[0m";
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::optional<Value> Entry::field(std::string_view key) const {
    const auto found =
        std::ranges::find(fields, key, [](const auto& entry) { return entry.first; });
    if (found == fields.end()) return std::nullopt;
    return found->second;
}

void MemoryLog::write(Level level,
                      std::string_view component,
                      std::string_view message,
                      std::span<const Field> fields) {
    Entry entry{.level = level,
                .component = std::string(component),
                .message = std::string(message),
                .fields = {}};
    for (const Field& field : fields) entry.fields.emplace_back(field.key, field.value);
    const std::scoped_lock lock(mutex_);
    entries_.push_back(std::move(entry));
    if (entries_.size() > entries_max_) entries_.pop_front();
}

std::vector<Entry> MemoryLog::entries() const {
    const std::scoped_lock lock(mutex_);
    return {entries_.begin(), entries_.end()};
}

std::size_t MemoryLog::count(std::string_view message) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(entries_, message, &Entry::message));
}

void MemoryLog::clear() {
    const std::scoped_lock lock(mutex_);
    entries_.clear();
}

bool TeeLog::enabled(Level level) const {
    return std::ranges::any_of(logs_, [&](const Log* log) { return log->enabled(level); });
}

void TeeLog::write(Level level,
                   std::string_view component,
                   std::string_view message,
                   std::span<const Field> fields) {
    for (Log* log : logs_)
        if (log->enabled(level)) log->write(level, component, message, fields);
}

}  // namespace draco::log
