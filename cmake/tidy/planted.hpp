#pragma once
#include <string>

// A finding in a header: the parameter is copied and only read.
inline std::size_t planted_length(std::string text) {
    return text.size();
}
