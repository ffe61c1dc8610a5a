#pragma once
// interfaces::ContentSource over the own store and other nodes, and the serving of the own store to
// them: the driver of Download.
//
// Threads: thread-safe. One object of lib/affair owns the downloads, a concurrent one does their
// reading and writing on the disk, another concurrent one that of the serving; links' calls only
// leave a note. Callbacks come from the executor's threads.
//
// A file comes as far ahead of its readers as DownloadLimits says, and no further until they read
// on; for an owner it comes whole. What nobody holds any more goes on to its end if more than half
// of it is here, else it waits for `grace` for another reader, and is dropped. What is damaged in
// the store is got again while its readers wait. Files that are still on their way in are served as
// far as they are here.
//
// Everything in the store is provided: what was fetched at once, what others put or evict there
// with the next look at the list, at the start and then every `list_pause`.
//
// Bounds: all in Options. Those that name classes of askers are kept for each class alone, and
// within a class no asker that is told apart has more than `one_max`. Blocks of answers in memory:
// asks_max times 512 KiB. Heads: heads_max times the longest (16 MiB of tree for 64 GiB of file,
// 84 MiB for the longest directory).

#include "draco/affair/registry.hpp"
#include "draco/fetcher/download.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/interfaces/providers.hpp"
#include "draco/log/log.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace draco::fetcher {

struct ServeLimits {
    std::size_t serves_max = 128;  // answers under way
    std::size_t serves_per_peer_max = 16;
    std::size_t readers_max = 4;  // of them, reading at the same time
    // An answer whose asker takes nothing for so long, or not all of it in so long, is over.
    Duration stall_max = std::chrono::seconds(30);
    Duration answer_max = std::chrono::minutes(5);
};

// How many places each class of askers has; none has those of another.
struct PlaceLimits {
    std::size_t owner = 0;
    std::size_t payers = 0;
    std::size_t strangers = 0;
    std::size_t one_max = 0;  // of one payer or stranger, if it is told apart

    constexpr std::size_t sum() const { return owner + payers + strangers; }
};

struct Options {
    DownloadLimits limits = {};
    ServeLimits serve = {};
    // Objects on their way here. One that several hold counts for the highest of their classes.
    PlaceLimits downloads = {.owner = 64, .payers = 48, .strangers = 32, .one_max = 16};
    // Calls of open() that wait, and readers of what is on its way.
    PlaceLimits opens = {.owner = 512, .payers = 2048, .strangers = 1536, .one_max = 64};
    // Calls of read_block() that wait.
    PlaceLimits reads = {.owner = 512, .payers = 2048, .strangers = 1536, .one_max = 128};
    std::size_t asks_max = 64;            // under way, of all downloads
    std::size_t asks_strangers_max = 48;  // of them, for strangers
    std::size_t heads_max = 4;            // of them, for heads
    std::size_t heads_strangers_max = 2;
    std::size_t disk_tasks_max = 4;  // at the same time
    std::uint64_t file_bytes_max = std::uint64_t{64} << 30;
    std::size_t liars_max = 1024;                       // remembered
    Duration liar_pause = std::chrono::minutes(10);     // nothing is asked of it
    Duration ask_deadline = std::chrono::minutes(5);    // for a whole answer
    Duration find_deadline = std::chrono::seconds(10);  // for a search
    Duration refetch_deadline = std::chrono::seconds(60);
    Duration list_pause = std::chrono::seconds(60);  // between looks at what the store has
    Duration grace = std::chrono::seconds(10);       // of a download that nobody holds
    // Blocks whose peers are known, and 128 for each object: 256 GiB of content, 2 MiB of memory.
    std::uint64_t origin_blocks_max = std::uint64_t{1} << 20;
    // Told when a payer has read a block, the first time: from whom it had come, and how long it
    // is. Called by any thread; quick, and without throwing.
    std::function<void(const types::NodeKey& peer, std::uint64_t bytes)> on_bytes_sold;
};

// Since the start, but for what is called running.
struct Counts {
    std::uint64_t running = 0;
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;
    std::uint64_t dropped = 0;  // nobody waited any more
    std::uint64_t liars = 0;    // peers that sent what does not verify
    std::uint64_t asks_in_flight = 0;
    std::uint64_t blocks_received = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t refetched = 0;      // damaged here, got again
    std::uint64_t reads_waiting = 0;  // now, for blocks that are on their way
    std::uint64_t answers = 0;        // to others
    std::uint64_t answers_refused = 0;
    std::uint64_t answers_stalled = 0;  // whose asker did not take them
    std::uint64_t bytes_served = 0;

    bool operator==(const Counts&) const = default;
};

class Fetcher final : public interfaces::ContentSource {
public:
    // What is passed by reference outlives the Fetcher; a Content that is held may outlive it, but
    // not the executor of `registry`. Errors: those of Registry::spawn.
    static Result<std::unique_ptr<Fetcher>> make(interfaces::Links& links,
                                                 interfaces::Blockstore& store,
                                                 interfaces::Providers& providers,
                                                 affair::Registry& registry,
                                                 log::Log& log,
                                                 const Options& options);
    // Who waits hears Unavailable.
    ~Fetcher() override;
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // NotFound: nobody has it. Unavailable: those who have it cannot be reached, or gave something
    // else. Exhausted: no room in the store, or too much at once.
    void open(const types::ContentHash& hash, Instant deadline, OpenCallback callback) override;
    interfaces::OpenId open_for(const interfaces::Asker& asker,
                                const types::ContentHash& hash,
                                Instant deadline,
                                OpenCallback callback) override;
    // Costs O(calls that wait for the same object). What nobody waits for any more is dropped.
    void cancel(interfaces::OpenId call) override;

    Counts counts() const;

    class State;

private:
    explicit Fetcher(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::fetcher
