#pragma once
// The changes of one block on top of the committed state, and of one step (a fee, a method, an
// ended lane, a payout) on top of those. A step is kept or discarded as a whole; keeping it asserts
// that no money appeared or vanished in it.

#include "draco/base/result.hpp"

#include "layered_table.hpp"
#include "tables.hpp"

#include <optional>
#include <tuple>

namespace draco::application {

class WorkingState {
public:
    WorkingState(const Writes& committed, const ChainRecord& chain);

    const ChainRecord& chain() const { return chain_; }

    // --- the step under way ---

    Result<types::Account> account(const types::Address& address) const;

    Result<std::optional<types::NodeRecord>> node(const types::NodeKey& key) const {
        return get(kNodes, key);
    }

    Result<std::optional<types::Lane>> lane(const types::LaneKey& key) const {
        return get(kLanes, key);
    }

    // Of the running epoch; zeros if there is none.
    Result<types::NodeRevenue> revenue(const types::NodeKey& node) const;
    Result<types::UsdAmount> revenue(types::ServiceId service) const;

    // These do not change within a block.
    Result<std::optional<types::Service>> service(types::ServiceId id) const {
        return committed_.get(kServices, id);
    }

    Result<std::optional<types::UnitPrice>> price(types::Commodity commodity) const {
        return committed_.get(kPrices, commodity);
    }

    void set(const types::Address& address, const types::Account& account) {
        put(kAccounts, address, account);
    }

    void set(const types::NodeKey& key, const types::NodeRecord& node) { put(kNodes, key, node); }

    // If it closes, also when it ends.
    void set(const types::LaneKey& key, const types::Lane& lane);
    // The caller gives its reserve to somebody.
    void end(const types::LaneKey& key, const types::Lane& lane);
    void set(const types::NodeKey& node, const types::NodeRevenue& revenue);
    void set(types::ServiceId service, types::UsdAmount revenue);

    void forget(types::ServiceId service) { put(kServiceRevenues, service, std::nullopt); }

    void forget(const RevenueKey& key) { put(kNodeRevenues, key, std::nullopt); }

    void set_pot(types::UsdAmount pot) { step_.pot = pot; }

    // Takes it out of the supply for good. The caller takes it from its holder.
    void burn(types::FlkAmount amount);
    // Adds it to the supply. Precondition (asserted): no more is emitted than was burned, in all.
    // The caller gives it to somebody.
    void emit(types::FlkAmount amount);
    void signal_end(types::AuthorityIndex member);

    const types::Supply& supply() const { return step_.supply; }

    types::UsdAmount pot() const { return step_.pot; }

    const types::AuthoritySet& end_signals() const { return step_.end_signals; }

    // Errors: those of reading what was there before.
    Result<> keep();
    void discard();

    // Precondition (asserted): no step is under way.
    Result<> write_to(Writes& writes) const;

private:
    template <auto... All>
    using Layers = std::tuple<LayeredTable<std::remove_const_t<decltype(All)>>...>;

    struct Totals {
        types::Supply supply{};
        types::AuthoritySet end_signals{};
        types::UsdAmount pot{};
    };

    template <class T>
    Result<std::optional<typename T::ValueType>> get(T /*table*/,
                                                     const typename T::KeyType& key) const {
        return std::get<LayeredTable<T>>(layers_).get(committed_, key);
    }

    template <class T>
    void put(T /*table*/,
             const typename T::KeyType& key,
             std::optional<typename T::ValueType> value) {
        std::get<LayeredTable<T>>(layers_).set(key, std::move(value));
    }

    const Writes& committed_;
    const ChainRecord& chain_;
    Layers<kAccounts, kNodes, kLanes, kLaneEnds, kNodeRevenues, kServiceRevenues> layers_;
    Totals block_;
    Totals step_;
};

}  // namespace draco::application
