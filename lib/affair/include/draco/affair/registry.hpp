#pragma once
// All objects of a node: making them, listing them, stopping them. One registry per node, wired
// like any other part; there is no global one.
//
// Each object belongs to the one Owner that spawn returns. Destroying the Owner discards what waits
// in the mailbox, waits for handlers that run now to return, and destroys the object: when the
// destructor returns, no code of the object runs or will. So an object may hold references to
// whatever was made before its Owner. An Owner is not destroyed inside its own object (asserted).
//
// The executor outlives the registry, all owners and all use of addresses.

#include "draco/affair/address.hpp"
#include "draco/affair/options.hpp"
#include "draco/affair/self.hpp"
#include "draco/affair/snapshot.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace draco::affair {

using StopCallback = std::move_only_function<void(StopReport)>;

namespace detail {

// The cells of a registry, oldest first. Shared by the registry and its owners, whichever goes
// last.
class Roster {
public:
    Result<> add(const std::shared_ptr<Cell>& cell);
    void remove(const Cell& cell);
    std::vector<std::shared_ptr<Cell>> cells() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Cell>> cells_;
};

// Stops the cells one after the other, the first one first.
void stop_cells(Executor& executor,
                std::vector<std::shared_ptr<Cell>> cells,
                StopPolicy policy,
                Instant deadline,
                StopCallback done);

}  // namespace detail

// Move-only; see the top of this file.
template <class Object>
class [[nodiscard]] Owner {
public:
    Owner(std::shared_ptr<detail::Roster> roster,
          std::shared_ptr<detail::Cell> cell,
          AddressOf<Object> address)
        : roster_(std::move(roster)), cell_(std::move(cell)), address_(std::move(address)) {}

    Owner(Owner&&) noexcept = default;

    Owner& operator=(Owner&& other) noexcept {
        std::swap(roster_, other.roster_);
        std::swap(cell_, other.cell_);
        std::swap(address_, other.address_);
        return *this;
    }

    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

    ~Owner() {
        if (!cell_) return;
        cell_->close();
        roster_->remove(*cell_);
    }

    const AddressOf<Object>& address() const { return address_; }

    ObjectSnapshot snapshot() const { return cell_->snapshot(); }

    // Like Registry::stop_all, for this object.
    void stop(StopPolicy policy, Instant deadline, StopCallback done) {
        detail::stop_cells(cell_->executor(), {cell_}, policy, deadline, std::move(done));
    }

private:
    std::shared_ptr<detail::Roster> roster_;
    std::shared_ptr<detail::Cell> cell_;
    AddressOf<Object> address_;
};

// Thread-safe.
class Registry {
public:
    // The handler may be called by several tasks at once. Typically it begins to stop the node.
    explicit Registry(Executor& executor, EscalationHandler on_escalation = nullptr);

    // Makes a sequential object: its handlers run one at a time, in the order in which the messages
    // were accepted. `make` is called now, and again at every restart: with a Self<Object>, or
    // nothing; it returns std::unique_ptr<Object> or a Result of one. Errors: AlreadyExists (the
    // name), InvalidArgument (a bound of 0), and those of `make`.
    template <class Object, class Factory>
    Result<Owner<Object>> spawn(ObjectOptions options, Factory make) {
        return spawn_with<Object>(
            std::move(options), {.max = 1, .held_replies_count = false}, std::move(make));
    }

    // Makes a concurrent object: each message is handled in a task of its own, at most `in_flight`
    // at once, in no particular order. Its handlers are const and thread-safe.
    template <class Object, class Factory>
    Result<Owner<Object>> spawn_concurrent(ObjectOptions options,
                                           InFlightMax in_flight,
                                           Factory make) {
        return spawn_with<const Object>(std::move(options),
                                        {.max = in_flight.messages, .held_replies_count = true},
                                        std::move(make));
    }

    // Every object whose owner exists, oldest first.
    std::vector<ObjectSnapshot> snapshot() const;

    // Stops all objects one after the other, the youngest first, so that an object is still served
    // by those that were made before it. What has not ended at the deadline is reported and then
    // discarded; a handler that hangs cannot be ended, only named. `done` is called once, as a task
    // of its own.
    void stop_all(StopPolicy policy, Instant deadline, StopCallback done);

private:
    template <class Access, class Factory>
    auto spawn_with(ObjectOptions options, detail::Cell::Workers workers, Factory make)
        -> Result<Owner<std::remove_const_t<Access>>> {
        using Object = std::remove_const_t<Access>;
        using Cell = detail::ObjectCell<Access, typename Object::Messages>;
        DRACO_TRY_VOID(check(options, workers));
        auto factory =
            [make = std::move(make)](
                const std::shared_ptr<Cell>& cell) mutable -> Result<std::unique_ptr<Object>> {
            if constexpr (std::invocable<Factory&, Self<Access>>) {
                return make(Self<Access>(cell));
            } else {
                return make();
            }
        };
        const auto cell = std::make_shared<Cell>(
            executor_, std::move(options), workers, escalation_, std::move(factory));
        DRACO_TRY_VOID(roster_->add(cell));
        // From here on the owner undoes everything.
        Owner<Object> owner(roster_, cell, AddressOf<Object>(cell));
        DRACO_TRY_VOID(cell->start());
        return owner;
    }

    static Result<> check(const ObjectOptions& options, detail::Cell::Workers workers);

    Executor& executor_;
    std::shared_ptr<EscalationHandler> escalation_;
    std::shared_ptr<detail::Roster> roster_ = std::make_shared<detail::Roster>();
};

}  // namespace draco::affair
