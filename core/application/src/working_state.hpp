#pragma once
// The changes of one block on top of the committed state, and of one step (a fee, a method) on top
// of those. A step is kept or discarded as a whole; keeping it asserts that no money appeared or
// vanished in it.

#include "draco/base/result.hpp"

#include "tables.hpp"

#include <map>
#include <optional>

namespace draco::application {

class WorkingState {
public:
    WorkingState(const Writes& committed, const ChainRecord& chain);

    const ChainRecord& chain() const { return chain_; }

    // --- the step under way ---

    Result<types::Account> account(const types::Address& address) const;
    Result<std::optional<types::NodeRecord>> node(const types::NodeKey& key) const;

    void set(const types::Address& address, const types::Account& account);
    void set(const types::NodeKey& key, const types::NodeRecord& node);
    // Takes it out of the supply for good. The caller takes it from its holder.
    void burn(types::FlkAmount amount);
    void signal_end(types::AuthorityIndex member);

    const types::Supply& supply() const { return step_.supply; }

    const types::AuthoritySet& end_signals() const { return step_.end_signals; }

    // Errors: those of reading what was there before.
    Result<> keep();
    void discard();

    // Precondition (asserted): no step is under way.
    Result<> write_to(Writes& writes) const;

private:
    struct Changes {
        std::map<types::Address, types::Account> accounts;
        std::map<types::NodeKey, types::NodeRecord> nodes;
        types::Supply supply;
        types::AuthoritySet end_signals;
    };

    Result<types::Account> account_before(const types::Address& address) const;
    Result<std::optional<types::NodeRecord>> node_before(const types::NodeKey& key) const;
    void begin_step();

    const Writes& committed_;
    const ChainRecord& chain_;
    Changes block_;
    Changes step_;
};

}  // namespace draco::application
