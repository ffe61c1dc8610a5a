#pragma once
// Prometheus text exposition format, version 0.0.4.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace draco::rpc {

struct Label {
    std::string_view name;
    std::string_view value;
};

// Families one after the other: family(), then its samples.
class Exposition {
public:
    enum class Type : std::uint8_t { Counter, Gauge };

    // Names are [a-zA-Z_:][a-zA-Z0-9_:]*.
    Exposition& family(std::string_view name, Type type, std::string_view help);
    Exposition& sample(std::uint64_t value, std::initializer_list<Label> labels = {});
    // `milli` thousandths.
    Exposition& sample_milli(std::uint64_t milli, std::initializer_list<Label> labels = {});

    std::string take() && { return std::move(text_); }

private:
    void head(std::initializer_list<Label> labels);

    std::string text_;
    std::string name_;
};

}  // namespace draco::rpc
