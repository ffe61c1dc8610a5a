#include "raw_ids.hpp"

#include <boost/json/parse.hpp>

namespace draco::rpc {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kAfterScalar = " \t\r\n,]}";

// A key may be written with escapes.
bool is_id(std::string_view quoted) {
    if (quoted == R"("id")") return true;
    if (quoted.find('\\') == std::string_view::npos) return false;
    boost::json::error_code error;
    const auto key = boost::json::parse(quoted, error);
    return !error && key.is_string() && key.get_string() == "id";
}

}  // namespace

std::optional<std::string> RawIds::at(std::size_t index) {
    if (!scanned_) scan();
    if (index >= ids_.size() || ids_[index].empty()) return std::nullopt;
    return ids_[index];
}

void RawIds::scan() {
    scanned_ = true;
    skip_space();
    if (position_ >= body_.size()) return;
    if (body_[position_] == '{') {
        ids_.push_back(take_object());
        return;
    }
    ++position_;  // '['
    for (skip_space(); position_ < body_.size() && body_[position_] != ']'; skip_space()) {
        if (body_[position_] == '{') {
            ids_.push_back(take_object());
        } else {
            take_value();
            ids_.emplace_back();
        }
        skip_space();
        if (position_ < body_.size() && body_[position_] == ',') ++position_;
    }
}

void RawIds::skip_space() {
    position_ = std::min(body_.find_first_not_of(kSpace, position_), body_.size());
}

std::string_view RawIds::take_string() {
    const std::size_t begin = position_++;
    while (position_ < body_.size() && body_[position_] != '"')
        position_ += body_[position_] == '\\' ? 2 : 1;
    position_ = std::min(position_ + 1, body_.size());
    return body_.substr(begin, position_ - begin);
}

std::string_view RawIds::take_value() {
    const std::size_t begin = position_;
    const char first = body_[position_];
    if (first == '"') return take_string();
    if (first != '{' && first != '[') {
        position_ = std::min(body_.find_first_of(kAfterScalar, position_), body_.size());
        return body_.substr(begin, position_ - begin);
    }
    std::size_t depth = 0;
    do {
        const char next = body_[position_];
        if (next == '"') {
            take_string();
            continue;
        }
        if (next == '{' || next == '[') ++depth;
        if (next == '}' || next == ']') --depth;
        ++position_;
    } while (depth > 0 && position_ < body_.size());
    return body_.substr(begin, position_ - begin);
}

std::string RawIds::take_object() {
    std::string id;
    ++position_;  // '{'
    for (skip_space(); position_ < body_.size() && body_[position_] != '}'; skip_space()) {
        const bool named_id = is_id(take_string());
        skip_space();
        ++position_;  // ':'
        skip_space();
        if (position_ >= body_.size()) break;
        const std::string_view value = take_value();
        if (named_id) id = value;
        skip_space();
        if (position_ < body_.size() && body_[position_] == ',') ++position_;
    }
    position_ = std::min(position_ + 1, body_.size());
    return id;
}

}  // namespace draco::rpc
