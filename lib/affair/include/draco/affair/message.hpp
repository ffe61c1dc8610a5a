#pragma once
// What can be sent to an object. A message is any type that moves without throwing. One that asks
// for an answer names the answer's type:
//     struct Deposit { std::uint64_t cents; };                                   // told
//     struct Balance { using Answer = std::uint64_t; AccountId account; };       // asked
// An object names the messages it accepts, and has one `handle` for each:
//     class Ledger {
//     public:
//         using Messages = affair::Messages<Deposit, Balance>;
//         void handle(Deposit deposit);
//         void handle(Balance query, affair::Promise<std::uint64_t> reply);
//     };
// A handler returns void, or Result<>. A request that cannot be served is answered with an error;
// an error *returned* (or an exception thrown) says that the object itself cannot go on, and is
// what supervision acts on.

#include "draco/base/result.hpp"

#include <concepts>
#include <string_view>
#include <type_traits>

namespace draco::affair {

template <class... Ms>
struct Messages {};

template <class M>
concept Message = std::is_object_v<M> && std::is_nothrow_move_constructible_v<M>;

template <class M>
concept Askable = Message<M> && requires { typename M::Answer; };

template <class M, class... Ms>
concept OneOf = (std::same_as<M, Ms> || ...);

// The type's name as the compiler writes it, for diagnosis only.
template <class M>
consteval std::string_view message_name() {
    constexpr std::string_view kOpening = "M = ";
    const std::string_view signature = __PRETTY_FUNCTION__;
    const auto begin = signature.find(kOpening) + kOpening.size();
    return signature.substr(begin, signature.rfind(']') - begin);
}

template <class M>
inline constexpr std::string_view kMessageName = message_name<M>();

// A message that was not accepted comes back to its sender untouched. Errors: Exhausted (the
// mailbox is full: back off), Unavailable (the object is stopping, stopped or has failed).
template <class M>
struct Rejected {
    Error error;
    M message;

    // A sender that has no use for the message passes the error on with DRACO_TRY.
    // NOLINTNEXTLINE(google-explicit-constructor): that is what makes DRACO_TRY work.
    operator Error() && { return std::move(error); }
};

}  // namespace draco::affair
