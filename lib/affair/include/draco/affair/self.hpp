#pragma once
// What an object may know of its own shell. A factory receives it, for the object to keep:
//     registry.spawn<Fetcher>(options, [](affair::Self<Fetcher> self) {
//         return std::make_unique<Fetcher>(std::move(self));
//     });
// The Self of a concurrent object is Self<const Object>; it has no turns.

#include "draco/affair/address.hpp"
#include "draco/affair/detail/object_cell.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace draco::affair {

// Brings something back into the object that made it. Move-only; called at most once, from any
// thread; the call queues behind the messages that wait and returns. If that incarnation of the
// object has ended by then, nothing happens.
template <class Object, class F>
class Turn {
public:
    using IsTurn = void;
    using Cell = detail::ObjectCell<Object, typename Object::Messages>;

    Turn(std::shared_ptr<Cell> cell, std::uint64_t incarnation, F continuation)
        : place_(cell),
          cell_(std::move(cell)),
          incarnation_(incarnation),
          continuation_(std::move(continuation)) {}

    template <class... Args>
        requires std::invocable<F&, Object&, Args...>
    void operator()(Args... args) {
        const auto cell = std::move(cell_);
        DRACO_ASSERT(cell != nullptr, "a turn is taken once");
        auto run = [continuation = std::move(continuation_),
                    ... args = std::move(args)](Object& object) mutable -> Result<> {
            if constexpr (std::is_void_v<std::invoke_result_t<F&, Object&, Args...>>) {
                std::invoke(continuation, object, std::move(args)...);
                return {};
            } else {
                return std::invoke(continuation, object, std::move(args)...);
            }
        };
        cell->put_turn(
            std::make_unique<typename Cell::Turn>(incarnation_, std::move(run), std::move(place_)));
    }

private:
    detail::TurnPlace place_;
    std::shared_ptr<Cell> cell_;
    std::uint64_t incarnation_;
    F continuation_;
};

// Value type. Like an address it does not keep the object alive.
template <class Access>
class Self {
public:
    using Object = std::remove_const_t<Access>;
    using Cell = detail::ObjectCell<Access, typename Object::Messages>;

    explicit Self(std::shared_ptr<Cell> cell) : cell_(std::move(cell)) {}

    AddressOf<Object> address() const { return AddressOf<Object>(cell_); }

    Executor& executor() const { return cell_->executor(); }

    // Makes a callable that runs continuation(object, arguments...) with the object's messages,
    // never beside one: for the answer to an ask, a timer, the end of a write. Like a handler it
    // returns void or Result<>. Errors: Exhausted (ObjectOptions::turns_max are outstanding; one is
    // so until it has run or been dropped).
    template <class F>
        requires(!std::is_const_v<Access>)
    Result<Turn<Object, F>> in_turn(F continuation) const {
        const auto incarnation = cell_->reserve_turn();
        if (!incarnation) return std::unexpected(cell_->turns_exhausted());
        return Turn<Object, F>(cell_, *incarnation, std::move(continuation));
    }

private:
    std::shared_ptr<Cell> cell_;
};

}  // namespace draco::affair
