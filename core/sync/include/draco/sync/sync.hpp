#pragma once
// interfaces::BlockFollower over links, ledger and gossip: the driver of Core, and the serving of
// blocks to others.
//
// Threads: thread-safe. One object of lib/affair owns the core; another one reads blocks for peers,
// off the links' thread. Links' and gossip's calls only leave a note.

#include "draco/affair/registry.hpp"
#include "draco/base/clock.hpp"
#include "draco/interfaces/broadcast.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/interfaces/sync.hpp"
#include "draco/log/log.hpp"
#include "draco/sync/core.hpp"

#include <memory>

namespace draco::sync {

struct ServeLimits {
    std::size_t serves_max = 16;  // answers under way, tails aside
    std::size_t serves_per_peer_max = 2;
    // More than guests may have, so that they leave room for the peers of the list.
    std::size_t tails_max = 192;
    std::size_t tails_per_peer_max = 2;                   // one that ends, and the next one
    std::size_t tails_held_up_max = 16;                   // of them, with a block but no credit
    Duration tail_wait_max = std::chrono::seconds(60);    // for a block
    Duration credit_wait_max = std::chrono::seconds(10);  // of any answer
    std::size_t readers_max = 2;                          // answers that read at the same time
    std::uint64_t bytes_per_s = std::uint64_t{64} << 20;  // to each peer
    std::size_t range_bytes_max = std::size_t{16}
                                  << 20;  // then the next certified block is the last
};

struct Options {
    Limits limits = {};
    ServeLimits serve = {};
};

class Sync final : public interfaces::BlockFollower {
public:
    // What is passed by reference outlives the Sync. Errors: those of Registry::spawn, Corrupt if
    // the ledger's state has no sound committee.
    static Result<std::unique_ptr<Sync>> make(types::ChainId chain,
                                              interfaces::Links& links,
                                              interfaces::Ledger& ledger,
                                              interfaces::Broadcast& broadcast,
                                              affair::Registry& registry,
                                              log::Log& log,
                                              const Options& options);
    ~Sync() override;
    Sync(const Sync&) = delete;
    Sync& operator=(const Sync&) = delete;

    void follow() override;
    interfaces::SyncStatus status() const override;

    class State;

private:
    explicit Sync(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::sync
