#pragma once
// What the object that fetches, the readers and the server have in common.

#include "draco/affair/registry.hpp"
#include "draco/fetcher/fetcher.hpp"

#include "asked_queue.hpp"
#include "board.hpp"
#include "openings.hpp"
#include "origins.hpp"
#include "places.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::fetcher {

// Work that blocks on the disk, for a concurrent object.
struct DiskTask {
    std::move_only_function<void()> run;
};

class DiskWorker {
public:
    using Messages = affair::Messages<DiskTask>;

    void handle(DiskTask task) const { task.run(); }
};

// A file that comes in, with what its head said.
struct Arrival {
    types::ContentInfo info;
    std::uint64_t download = 0;
    std::shared_ptr<interfaces::ArrivingFile> file;
    std::shared_ptr<const std::vector<blake3_tree::Hash>> nodes;
};

// Thread-safe.
class Shared : public std::enable_shared_from_this<Shared> {
public:
    explicit Shared(Options options_of_fetcher)
        : options(std::move(options_of_fetcher)),
          opens(std::make_shared<Places>(options.opens)),
          reads(options.reads),
          origins(options.origin_blocks_max),
          asked_(options.disk_tasks_max) {}

    const Options options;
    Board board;
    const std::shared_ptr<Places> opens;
    Places reads;
    Origins origins;
    Openings openings;
    std::atomic<AskedQueue::AskerId> number_last = 0;  // of readers and of calls of open()

    // Before the first task.
    void set_disk(const affair::Address<DiskTask>& disk) { disk_.emplace(disk); }

    // Bounded by who calls it. One that is refused, because the node stops, is destroyed.
    void run_on_disk(std::move_only_function<void()> task) {
        static_cast<void>(disk_->tell(DiskTask{std::move(task)}));
    }

    // In the turn of the asker's class. `asker` 0: it cannot be taken back.
    void ask_disk(interfaces::AskerClass kind, AskedQueue::AskerId asker, AskedQueue::Task task);

    std::vector<AskedQueue::Task> take_back(interfaces::AskerClass kind,
                                            AskedQueue::AskerId asker) {
        return asked_.take(kind, asker);
    }

    // A payer has read this block.
    void sold(const types::ContentInfo& file, std::uint64_t index);

    void add_arrival(const std::shared_ptr<const Arrival>& arrival);
    void remove_arrival(const types::ContentHash& hash);
    std::shared_ptr<const Arrival> arrival(const types::ContentHash& hash) const;

    Counts counts() const;
    void set_counts(const Counts& counts);

    // Who waits hears that the node stops.
    void close();

private:
    void run_asked();

    std::optional<affair::Address<DiskTask>> disk_;
    AskedQueue asked_;
    mutable std::mutex mutex_;
    std::map<types::ContentHash, std::shared_ptr<const Arrival>> arrivals_;
    Counts counts_;
};

}  // namespace draco::fetcher
