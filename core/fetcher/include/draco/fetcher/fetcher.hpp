#pragma once
// interfaces::ContentSource over the own store and other nodes, and the serving of the own store to
// them: the driver of Download.
//
// Threads: thread-safe. One object of lib/affair owns the downloads, a concurrent one does their
// reading and writing on the disk, another concurrent one that of the serving; links' calls only
// leave a note. Callbacks come from the executor's threads.
//
// An object that nobody waits for or holds any more is got to its end if more than half of it is
// here, else it is dropped. What is damaged in the store is got again while its readers wait.
// Files that are still on their way in are served as far as they are here.
//
// Everything in the store is provided: what was fetched at once, what others put or evict there
// with the next look at the list, at the start and then every `list_pause`.
//
// Bounds: all in Options. Blocks of answers in memory: asks_max times 512 KiB. Heads: heads_max
// times the longest (16 MiB of tree for 64 GiB of file, 84 MiB for the longest directory).

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
    std::size_t serves_max = 64;  // answers under way
    std::size_t serves_per_peer_max = 16;
    std::size_t readers_max = 4;  // of them, reading at the same time
};

struct Options {
    DownloadLimits limits = {};
    ServeLimits serve = {};
    std::size_t downloads_max = 64;  // at a time; more are refused
    std::size_t asks_max = 64;       // under way, of all downloads
    std::size_t heads_max = 4;       // of them, for heads
    std::size_t opens_max = 4096;    // calls of open() that wait
    std::size_t reads_max = 4096;    // calls of read_block() that wait
    std::size_t disk_tasks_max = 4;  // at the same time
    std::uint64_t file_bytes_max = std::uint64_t{64} << 30;
    std::size_t liars_max = 1024;                       // remembered
    Duration liar_pause = std::chrono::minutes(10);     // nothing is asked of it
    Duration ask_deadline = std::chrono::minutes(5);    // for a whole answer
    Duration find_deadline = std::chrono::seconds(10);  // for a search
    Duration refetch_deadline = std::chrono::seconds(60);
    Duration list_pause = std::chrono::seconds(60);  // between looks at what the store has
    // Told of every true block: from whom it came, and how long it is. Called in turns of the
    // object; quick, and without throwing.
    std::function<void(const types::NodeKey& peer, std::uint64_t bytes)> on_bytes_received;
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
    std::uint64_t refetched = 0;  // damaged here, got again
    std::uint64_t answers = 0;    // to others
    std::uint64_t answers_refused = 0;
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

    Counts counts() const;

    class State;

private:
    explicit Fetcher(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::fetcher
