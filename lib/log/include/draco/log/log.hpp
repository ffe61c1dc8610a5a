#pragma once
// What a part of the program tells those who run it: a sentence with typed fields. Where it goes is
// decided by who made the Log: a rotated file, the terminal, memory (in tests), nowhere.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace draco::log {

enum class Level : std::uint8_t { Trace, Debug, Info, Warn, Error };

// "trace", "debug", "info", "warn", "error".
std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

using Value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool>;

// `key` is a literal in snake_case, with its unit where it has one ("sync_ms").
struct Field {
    std::string_view key;
    Value value;
};

// Thread-safe; never throws, never blocks for longer than a write to memory. Messages that a slow
// disk cannot take are dropped and counted in a later message.
class Log {
public:
    virtual ~Log() = default;
    virtual bool enabled(Level level) const = 0;
    // `component` is the module's name, `message` says what happened, as a phrase without values:
    // those are the fields, so that lines of one kind can be found and counted.
    virtual void write(Level level,
                       std::string_view component,
                       std::string_view message,
                       std::span<const Field> fields) = 0;
};

// Discards everything.
class NullLog final : public Log {
public:
    bool enabled(Level /*level*/) const override { return false; }

    void write(Level /*level*/,
               std::string_view /*component*/,
               std::string_view /*message*/,
               std::span<const Field> /*fields*/) override {}
};

// A component's way to its Log. Value type; the Log outlives it.
class Logger {
public:
    Logger(Log& log, std::string_view component) : log_(&log), component_(component) {}

    void debug(std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(Level::Debug, message, fields);
    }

    void info(std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(Level::Info, message, fields);
    }

    void warn(std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(Level::Warn, message, fields);
    }

    void error(std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(Level::Error, message, fields);
    }

private:
    void write(Level level, std::string_view message, std::initializer_list<Field> fields) const {
        if (log_->enabled(level))
            log_->write(level, component_, message, {fields.begin(), fields.size()});
    }

    Log* log_;
    std::string component_;
};

}  // namespace draco::log
