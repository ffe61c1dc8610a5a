#pragma once
// An object that is open: in the store, or on its way in. Reads run as disk tasks; what they do not
// find, or find damaged, is the Fetching's business.

#include "draco/fetcher/fetcher.hpp"

#include "board.hpp"

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

// What the object, the handles and the server have in common. Thread-safe.
class Shared {
public:
    explicit Shared(Options options_of_fetcher) : options(std::move(options_of_fetcher)) {}

    const Options options;
    Board board;
    std::atomic<std::size_t> opens = 0;  // that wait
    std::atomic<std::size_t> reads = 0;

    // Before the first task.
    void set_disk(const affair::Address<DiskTask>& disk) { disk_.emplace(disk); }

    // One that is refused, because the node stops, is destroyed.
    void run_on_disk(std::move_only_function<void()> task) {
        static_cast<void>(disk_->tell(DiskTask{std::move(task)}));
    }

    void add_arrival(const std::shared_ptr<const Arrival>& arrival);
    void remove_arrival(const types::ContentHash& hash);
    std::shared_ptr<const Arrival> arrival(const types::ContentHash& hash) const;

    Counts counts() const;
    void set_counts(const Counts& counts);

private:
    std::optional<affair::Address<DiskTask>> disk_;
    mutable std::mutex mutex_;
    std::map<types::ContentHash, std::shared_ptr<const Arrival>> arrivals_;
    Counts counts_;
};

class Handle final : public interfaces::Content, public std::enable_shared_from_this<Handle> {
public:
    Handle(std::shared_ptr<Shared> shared, std::shared_ptr<const interfaces::StoredContent> stored)
        : shared_(std::move(shared)), info_(stored->info()), stored_(std::move(stored)) {}

    // Counted by the download until it is gone.
    Handle(std::shared_ptr<Shared> shared, std::shared_ptr<const Arrival> arrival)
        : shared_(std::move(shared)), info_(arrival->info), arrival_(std::move(arrival)) {}

    ~Handle() override;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    const types::ContentInfo& info() const override { return info_; }

    void read_block(std::uint64_t index, BlockCallback callback) override;
    Result<std::vector<blake3_tree::Hash>> tree_nodes(std::uint64_t first,
                                                      std::size_t count_max) const override;
    Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                       std::size_t count_max) const override;
    Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const override;

    // Reads as a disk task; `attempts` more are left when this one finds nothing.
    void submit(std::uint64_t index, BlockAnswer answer, unsigned attempts);

    // From now on reads go there.
    void replace(std::shared_ptr<interfaces::Content> by);

    const Arrival* arrival() const { return arrival_.get(); }

private:
    void read_now(std::uint64_t index, BlockAnswer answer, unsigned attempts);
    std::shared_ptr<interfaces::Content> replacement() const;

    std::shared_ptr<Shared> shared_;
    types::ContentInfo info_;
    std::shared_ptr<const interfaces::StoredContent> stored_;
    std::shared_ptr<const Arrival> arrival_;
    mutable std::mutex mutex_;
    std::shared_ptr<interfaces::Content> replacement_;
};

}  // namespace draco::fetcher
