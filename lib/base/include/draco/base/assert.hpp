#pragma once

// DRACO_ASSERT(condition, "what must hold"): always compiled in. A failed assertion is a bug in
// this program, never bad input: it prints the condition, the sentence and the place to stderr and
// aborts.

namespace draco::detail {

[[noreturn]] void assertion_failed(const char* condition,
                                   const char* what,
                                   const char* file,
                                   int line) noexcept;

}  // namespace draco::detail

#define DRACO_ASSERT(condition, what)   \
    ((condition) ? static_cast<void>(0) \
                 : ::draco::detail::assertion_failed(#condition, what, __FILE_NAME__, __LINE__))
