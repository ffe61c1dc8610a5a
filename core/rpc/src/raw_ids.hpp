#pragma once
// The ids of calls as they stand in the text, for numbers that no machine type holds: a client
// compares what comes back with what it sent.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::rpc {

// Precondition: `body` is valid JSON text, an object or an array, and outlives this. It is gone
// through once, at the first question.
class RawIds {
public:
    explicit RawIds(std::string_view body) : body_(body) {}

    // The last id of the object at this place of the batch (0: of the only one); nullopt if it has
    // none that is a number.
    std::optional<std::string> at(std::size_t index);

private:
    void scan();
    void skip_space();
    std::string_view take_string();
    std::string_view take_value();
    std::string take_object();

    std::string_view body_;
    std::size_t position_ = 0;
    bool scanned_ = false;
    std::vector<std::string> ids_;  // empty text: none
};

}  // namespace draco::rpc
