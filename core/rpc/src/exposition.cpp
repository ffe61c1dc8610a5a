#include "exposition.hpp"

namespace draco::rpc {
namespace {

void append_escaped(std::string& to, std::string_view text, bool quotes) {
    for (const char letter : text) {
        if (letter == '\\') {
            to += "\\\\";
        } else if (letter == '\n') {
            to += "\\n";
        } else if (letter == '"' && quotes) {
            to += "\\\"";
        } else {
            to += letter;
        }
    }
}

}  // namespace

Exposition& Exposition::family(std::string_view name, Type type, std::string_view help) {
    name_ = name;
    text_ += "# HELP " + name_ + " ";
    append_escaped(text_, help, false);
    text_ += "\n# TYPE " + name_ + (type == Type::Counter ? " counter\n" : " gauge\n");
    return *this;
}

void Exposition::head(std::initializer_list<Label> labels) {
    text_ += name_;
    if (labels.size() == 0) return;
    char separator = '{';
    for (const auto& [name, value] : labels) {
        text_ += separator;
        text_ += name;
        text_ += "=\"";
        append_escaped(text_, value, true);
        text_ += '"';
        separator = ',';
    }
    text_ += '}';
}

Exposition& Exposition::sample(std::uint64_t value, std::initializer_list<Label> labels) {
    head(labels);
    text_ += ' ' + std::to_string(value) + '\n';
    return *this;
}

Exposition& Exposition::sample_milli(std::uint64_t milli, std::initializer_list<Label> labels) {
    head(labels);
    const std::string thousandths = std::to_string(1000 + milli % 1000);
    text_ += ' ' + std::to_string(milli / 1000) + '.' + thousandths.substr(1) + '\n';
    return *this;
}

}  // namespace draco::rpc
