#pragma once
// The serving side: answers requests for content as messages of a concurrent object, one chunk at a
// time, so that reading never holds up a link and few read at once.

#include "draco/fetcher/messages.hpp"

#include "handle.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace draco::fetcher {

// Who is served. Thread-safe.
class ServeBudget {
public:
    explicit ServeBudget(const ServeLimits& limits) : limits_(limits) {}

    // False: this peer, or the node, has enough to do.
    bool begin(const types::NodeKey& peer);
    void end(const types::NodeKey& peer);
    void count(std::size_t bytes);
    void count_stalled();

    const ServeLimits& limits() const { return limits_; }

    // Fills in what is served.
    void add_to(Counts& counts) const;

private:
    const ServeLimits limits_;
    mutable std::mutex mutex_;
    std::map<types::NodeKey, std::size_t> serves_;  // of each peer
    std::size_t serve_count_ = 0;
    std::uint64_t answers_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t stalled_ = 0;
    std::uint64_t bytes_ = 0;
};

// What answers are made of. All outlive the Serves.
struct ServeSource {
    interfaces::Blockstore& store;
    interfaces::Providers& providers;
    std::shared_ptr<Shared> shared;
};

// One answer. Used by one message of the server at a time, or, while it waits for credit, by
// whoever ends the wait.
class Serve : public std::enable_shared_from_this<Serve> {
public:
    Serve(std::shared_ptr<ServeBudget> budget,
          types::NodeKey peer,
          Request request,
          std::unique_ptr<interfaces::Responder> responder)
        : budget_(std::move(budget)),
          peer_(peer),
          request_(request),
          responder_(std::move(responder)) {}

    ~Serve();

    Serve(const Serve&) = delete;
    Serve& operator=(const Serve&) = delete;

    enum class Turn : std::uint8_t { Done, GoOn, WaitForCredit };

    // Writes what there is, or reads one more chunk.
    Turn go_on(const ServeSource& from);

    // After WaitForCredit. `ready` runs once, when there is credit or the request has ended, unless
    // the asker took too little for too long: then the answer is over.
    void wait(Executor& executor, std::move_only_function<void()> ready);

private:
    struct Wait {
        std::mutex mutex;  // what follows
        bool is_on = false;
        Instant since{};
        std::optional<TimerId> timer{};  // at most one, for this wait or a later one
    };

    bool end_wait();
    void look_at_time();
    void set_timer(Instant when);
    Instant over_at() const;
    void give_up();
    void give_place_back();

    Result<> begin(const ServeSource& from);
    // nullopt: there is no more.
    Result<std::optional<Bytes>> next_chunk();
    Result<std::optional<Bytes>> next_of_head();
    Result<std::optional<Bytes>> next_nodes();
    Result<std::optional<Bytes>> next_entries();
    Result<Bytes> read_block(std::uint64_t index) const;

    const types::ContentInfo& info() const { return stored_ ? stored_->info() : arrival_->info; }

    std::span<const blake3_tree::Hash> nodes() const;

    std::shared_ptr<ServeBudget> budget_;
    types::NodeKey peer_;
    Request request_;
    std::unique_ptr<interfaces::Responder> responder_;
    std::shared_ptr<const interfaces::StoredContent> stored_;
    std::shared_ptr<const Arrival> arrival_;
    bool has_begun_ = false;
    bool has_head_ = false;  // is made
    bool has_last_ = false;
    std::uint64_t next_ = 0;  // block, node, or entry
    std::optional<Bytes> unwritten_;
    bool has_place_ = true;
    Executor* executor_ = nullptr;  // once it has waited
    Instant first_wait_{};
    Wait wait_;
};

struct ServeStep {
    std::shared_ptr<Serve> serve;
};

// Goes on with a Serve, and sees to it that it goes on when it has to wait.
class Server {
public:
    using Messages = affair::Messages<ServeStep>;

    Server(affair::Self<const Server> self, ServeSource source)
        : self_(std::move(self)), source_(std::move(source)) {}

    void handle(const ServeStep& step) const;

private:
    affair::Self<const Server> self_;
    ServeSource source_;
};

}  // namespace draco::fetcher
