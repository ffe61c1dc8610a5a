#pragma once
// The one error-carrying return type. A bug is a DRACO_ASSERT; an expected outcome is in the type
// (optional, variant, verdict enum); an operational failure is a Result.
//
// Result derives from std::expected because libstdc++ 12's is neither [[nodiscard]] nor monadic.

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace draco {

// One enumerator for each way a caller can react; the details belong in Error::context, which is
// for people.
enum class Errc {
    NotFound,         // what was asked for does not exist
    AlreadyExists,    // it exists, and must not
    InvalidArgument,  // the caller's (or peer's) request makes no sense; repeating it will not help
    Corrupt,  // bytes that do not decode, or do not match their hash: discard them, fetch elsewhere
    Unauthenticated,   // a signature or key does not match: distrust the sender
    Unavailable,       // not now: retry, here or elsewhere
    Exhausted,         // a named bound is reached: back off
    DeadlineExceeded,  // no answer in time; whether the work was done is unknown
    Abandoned,         // the answer will never come: its promise was dropped
    Io,                // the disk or the operating system failed: durable state is in doubt
};

std::string_view to_string(Errc code);

struct Error {
    Errc code;
    std::string context;  // what happened, where, and what to do

    bool operator==(const Error&) const = default;
};

// "NotFound: no file called x"
std::string to_string(const Error& error);

template <class T = void, class E = Error>
class [[nodiscard]] Result : public std::expected<T, E> {
public:
    using Base = std::expected<T, E>;
    using Base::Base;

    template <class F>
    auto and_then(F&& next) && {
        if constexpr (std::is_void_v<T>) {
            using Next = std::invoke_result_t<F>;
            if (!this->has_value()) return Next(std::unexpected(std::move(this->error())));
            return std::invoke(std::forward<F>(next));
        } else {
            using Next = std::invoke_result_t<F, T>;
            if (!this->has_value()) return Next(std::unexpected(std::move(this->error())));
            return std::invoke(std::forward<F>(next), *std::move(*this));
        }
    }

    template <class F>
    auto transform(F&& make) && {
        using Next = Result<std::invoke_result_t<F, T>, E>;
        if (!this->has_value()) return Next(std::unexpected(std::move(this->error())));
        return Next(std::invoke(std::forward<F>(make), *std::move(*this)));
    }

    // Translates the error where it crosses a module boundary.
    template <class F>
    auto map_error(F&& translate) && -> Result<T, std::invoke_result_t<F, E>> {
        if (!this->has_value())
            return std::unexpected(
                std::invoke(std::forward<F>(translate), std::move(this->error())));
        if constexpr (std::is_void_v<T>) {
            return {};
        } else {
            return *std::move(*this);
        }
    }
};

// return fail(Errc::NotFound, "...");
inline std::unexpected<Error> fail(Errc code, std::string context) {
    return std::unexpected(Error{code, std::move(context)});
}

// Declares `var` from a Result-returning expression, or returns its error from this function.
#define DRACO_TRY(var, expr)                                 \
    auto var##_or = (expr);                                  \
    if (!var##_or) [[unlikely]]                              \
        return std::unexpected(std::move(var##_or).error()); \
    auto&& var = *std::move(var##_or)

// Returns the error of a Result<void> expression from this function, or goes on.
#define DRACO_TRY_VOID(expr)                                    \
    if (auto draco_status = (expr); !draco_status) [[unlikely]] \
    return std::unexpected(std::move(draco_status).error())

}  // namespace draco
