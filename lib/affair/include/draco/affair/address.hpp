#pragma once
// Where to send messages. Value type, freely copied and shared between threads.
//
// An address does not keep its object alive: that is the Owner's alone (registry.hpp). Objects may
// therefore hold each other's addresses, and their own, in any shape without leaking. To an object
// that has ended, messages come back as Unavailable. An address must not be used after the executor
// of its object is gone.

#include "draco/affair/detail/cell.hpp"
#include "draco/affair/message.hpp"
#include "draco/affair/reply.hpp"

#include <memory>
#include <source_location>
#include <tuple>
#include <utility>

namespace draco::affair {

namespace detail {

template <class M>
struct Envelope {
    M message;
    std::source_location where;
};

template <Askable M>
struct Envelope<M> {
    M message;
    std::source_location where;
    Promise<typename M::Answer> reply;
};

template <class M>
class Port {
public:
    // Moves from the envelope only if it is accepted.
    virtual Admission put(Envelope<M>& envelope) = 0;

protected:
    ~Port() = default;
};

}  // namespace detail

// An address that takes each of Ms; it converts to one that takes fewer, so that who sends names
// only the messages it sends, and not the object.
template <Message... Ms>
class Address {
public:
    template <class Target>
        requires(std::derived_from<Target, detail::Port<Ms>> && ...)
    explicit Address(const std::shared_ptr<Target>& target)
        : cell_(target), ports_(static_cast<detail::Port<Ms>*>(target.get())...) {}

    template <Message... Wider>
        requires(OneOf<Ms, Wider...> && ...)
    // NOLINTNEXTLINE(google-explicit-constructor): narrowing what can be sent is always safe.
    Address(const Address<Wider...>& wider)
        : cell_(wider.cell_), ports_(std::get<detail::Port<Ms>*>(wider.ports_)...) {}

    // Queues the message, never blocks. O(1). `where` is for diagnosis. Errors: Rejected.
    template <OneOf<Ms...> M>
        requires(!Askable<M>)
    Result<void, Rejected<M>> tell(
        M message, std::source_location where = std::source_location::current()) const {
        detail::Envelope<M> envelope{.message = std::move(message), .where = where};
        const auto admission = port<M>().put(envelope);
        if (admission == detail::Admission::Accepted) [[likely]]
            return {};
        return std::unexpected(
            Rejected<M>{cell_->rejection(admission), std::move(envelope.message)});
    }

    // Queues the message, never blocks. If no answer has come at `deadline` the outcome is
    // DeadlineExceeded; if the message is then still in the mailbox, it is never handled.
    // Errors: Rejected.
    template <OneOf<Ms...> M>
        requires Askable<M>
    Result<Reply<typename M::Answer>, Rejected<M>> ask(
        M message,
        Instant deadline,
        std::source_location where = std::source_location::current()) const {
        using Answer = typename M::Answer;
        auto ask =
            std::make_shared<detail::AskState<Answer>>(cell_, kMessageName<M>, where, deadline);
        detail::Envelope<M> envelope{
            .message = std::move(message), .where = where, .reply = Promise<Answer>(ask)};
        const auto admission = port<M>().put(envelope);
        if (admission != detail::Admission::Accepted) [[unlikely]] {
            envelope.reply.forget();
            return std::unexpected(
                Rejected<M>{cell_->rejection(admission), std::move(envelope.message)});
        }
        ask->arm_deadline();
        return Reply<Answer>(std::move(ask));
    }

private:
    template <Message...>
    friend class Address;

    template <class M>
    detail::Port<M>& port() const {
        return *std::get<detail::Port<M>*>(ports_);
    }

    std::shared_ptr<detail::Cell> cell_;
    std::tuple<detail::Port<Ms>*...> ports_;
};

namespace detail {

template <class List>
struct AddressFor;

template <class... Ms>
struct AddressFor<Messages<Ms...>> {
    using Type = Address<Ms...>;
};

}  // namespace detail

// The address that takes all messages of an object type.
template <class Object>
using AddressOf = typename detail::AddressFor<typename Object::Messages>::Type;

}  // namespace draco::affair
