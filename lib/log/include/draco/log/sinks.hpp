#pragma once
// Logs that are no files: the terminal, memory, several at once.

#include "draco/base/clock.hpp"
#include "draco/log/line_format.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace draco::log {

// Lines of text on standard error, coloured by level if wanted. Thread-safe. For people who watch:
// a write blocks as long as their terminal does.
class TerminalLog final : public Log {
public:
    // `clock` outlives the log.
    TerminalLog(const Clock& clock, Level level, bool coloured);

    bool enabled(Level level) const override { return level >= level_; }

    void write(Level level,
               std::string_view component,
               std::string_view message,
               std::span<const Field> fields) override;

private:
    const Clock& clock_;
    const Level level_;
    const bool coloured_;
};

// What a MemoryLog remembers of a message.
struct Entry {
    Level level;
    std::string component;
    std::string message;
    std::vector<std::pair<std::string, Value>> fields;

    bool operator==(const Entry&) const = default;
    // The value of the first field of that name.
    std::optional<Value> field(std::string_view key) const;
};

// Keeps the newest `entries_max` messages, for tests. Thread-safe.
class MemoryLog final : public Log {
public:
    explicit MemoryLog(Level level = Level::Trace, std::size_t entries_max = 100'000)
        : level_(level), entries_max_(entries_max) {}

    bool enabled(Level level) const override { return level >= level_; }

    void write(Level level,
               std::string_view component,
               std::string_view message,
               std::span<const Field> fields) override;

    std::vector<Entry> entries() const;
    // How many kept entries have exactly this message.
    std::size_t count(std::string_view message) const;
    void clear();

private:
    const Level level_;
    const std::size_t entries_max_;
    mutable std::mutex mutex_;
    std::deque<Entry> entries_;  // guarded by mutex_
};

// Each message to every log that is enabled for it. The logs outlive it.
class TeeLog final : public Log {
public:
    explicit TeeLog(std::vector<Log*> logs) : logs_(std::move(logs)) {}

    bool enabled(Level level) const override;
    void write(Level level,
               std::string_view component,
               std::string_view message,
               std::span<const Field> fields) override;

private:
    const std::vector<Log*> logs_;
};

}  // namespace draco::log
