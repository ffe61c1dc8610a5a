#pragma once
// interfaces::Providers over links and ledger: the driver of Core.
//
// Threads: thread-safe. One object of lib/affair owns the core; links' and the ledger's calls only
// leave messages. The active nodes are those of the newest state, looked at when an epoch ends and
// once in kRefreshMs of block time.

#include "draco/affair/registry.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/interfaces/providers.hpp"
#include "draco/log/log.hpp"
#include "draco/resolver/core.hpp"

#include <memory>

namespace draco::resolver {

inline constexpr std::uint64_t kRefreshMs = 30'000;
inline constexpr std::size_t kNodesMax = 4096;

struct Options {
    Limits limits = {};
    std::size_t queue_max = 4096;  // messages that wait; announcements beyond are dropped
};

class Resolver final : public interfaces::Providers {
public:
    // What is passed by reference outlives the Resolver; `key` is the node's. Errors: those of
    // Registry::spawn, and of reading the state.
    static Result<std::unique_ptr<Resolver>> make(types::ChainId chain,
                                                  types::NodeSecretKey key,
                                                  interfaces::Links& links,
                                                  interfaces::Ledger& ledger,
                                                  affair::Registry& registry,
                                                  log::Log& log,
                                                  const Options& options);
    // Who waits for find() hears Unavailable.
    ~Resolver() override;
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    Result<> provide(const types::ContentHash& hash) override;
    void withdraw(const types::ContentHash& hash) override;
    void find(const types::ContentHash& hash, Instant deadline, FindCallback callback) override;
    interfaces::ProvidersStatus status() const override;

    class State;

private:
    explicit Resolver(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::resolver
