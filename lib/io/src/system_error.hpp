#pragma once
#include "draco/base/result.hpp"

#include <cerrno>
#include <string_view>

namespace draco::io {

// The Error for a failed system call: its code by what a caller can do about `number` (an errno),
// its text the operation, the path, the system's reason and the remedy.
std::unexpected<Error> system_error(std::string_view operation, std::string_view path, int number);

// Repeats a call that returns -1 and sets errno while a signal interrupts it.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result == -1 && errno == EINTR) result = call();
    return result;
}

}  // namespace draco::io
