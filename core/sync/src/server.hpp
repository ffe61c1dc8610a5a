#pragma once
// The serving side: answers requests for blocks as messages of a concurrent object, one block at a
// time, so that reading never holds up a link and few read at once.

#include "draco/affair/registry.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"
#include "draco/sync/messages.hpp"
#include "draco/sync/sync.hpp"

#include <memory>
#include <mutex>

namespace draco::sync {

// Who is served, and how fast. Thread-safe.
class ServeBudget {
public:
    explicit ServeBudget(const ServeLimits& limits) : limits_(limits) {}

    // False: this peer, or the node, has enough to do.
    bool begin(const types::NodeKey& peer);
    void end(const types::NodeKey& peer);
    // Takes the bytes; how long to wait before the next ones.
    Duration spend(const types::NodeKey& peer, std::size_t bytes, Instant now);

private:
    struct Use {
        std::size_t serves = 0;
        Instant paid_until{};
    };

    ServeLimits limits_;
    std::mutex mutex_;
    std::map<types::NodeKey, Use> uses_;  // at most serves_max and those still paying
    std::size_t serves_ = 0;
};

// One answer. Used by one message of the server at a time.
class Serve {
public:
    Serve(std::shared_ptr<ServeBudget> budget,
          types::NodeKey peer,
          Request request,
          std::unique_ptr<interfaces::Responder> responder)
        : budget_(std::move(budget)),
          peer_(peer),
          request_(request),
          responder_(std::move(responder)) {}

    ~Serve() { budget_->end(peer_); }

    Serve(const Serve&) = delete;
    Serve& operator=(const Serve&) = delete;

    enum class Turn : std::uint8_t { Done, GoOn, WaitForCredit, WaitForBudget };

    // Writes what there is, or reads one more block.
    Turn go_on(const interfaces::Ledger& ledger, const ServeLimits& limits, Instant now);

    interfaces::Responder& responder() { return *responder_; }

    Duration pause() const { return pause_; }

private:
    Turn write_some(Instant now);
    void begin(const interfaces::Ledger& ledger);
    Result<> read_next(const interfaces::Ledger& ledger, const ServeLimits& limits);

    std::shared_ptr<ServeBudget> budget_;
    types::NodeKey peer_;
    Request request_;
    std::unique_ptr<interfaces::Responder> responder_;
    Bytes unwritten_;
    std::size_t written_ = 0;
    bool has_begun_ = false;
    bool is_complete_ = false;  // nothing more is to be read
    types::Height next_;
    types::Height last_;  // the highest one that a certificate can reach
    std::optional<types::Epoch> epoch_;
    std::uint32_t blocks_ = 0;
    std::size_t bytes_ = 0;
    Duration pause_{0};
};

struct ServeStep {
    std::shared_ptr<Serve> serve;
};

// Goes on with a Serve, and sees to it that it goes on when it has to wait.
class Server {
public:
    using Messages = affair::Messages<ServeStep>;

    Server(affair::Self<const Server> self,
           const interfaces::Ledger& ledger,
           const ServeLimits& limits)
        : self_(std::move(self)), ledger_(ledger), limits_(limits) {}

    void handle(const ServeStep& step) const;

private:
    affair::Self<const Server> self_;
    const interfaces::Ledger& ledger_;
    ServeLimits limits_;
};

}  // namespace draco::sync
