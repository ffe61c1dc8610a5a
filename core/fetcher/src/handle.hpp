#pragma once
// An object that is open: in the store, or on its way in. Reads run as disk tasks; what they do not
// find, or find damaged, is the Fetching's business.

#include "shared.hpp"

#include <memory>
#include <mutex>

namespace draco::fetcher {

// What a Handle and its reads share; it outlives the Handle while they run.
class Reader final : public std::enable_shared_from_this<Reader> {
public:
    Reader(std::shared_ptr<Shared> shared,
           const interfaces::Asker& asker,
           std::shared_ptr<const interfaces::StoredContent> stored)
        : shared_(std::move(shared)),
          id_(++shared_->number_last),
          asker_(asker),
          info_(stored->info()),
          stored_(std::move(stored)) {}

    // Counted by the download until it is closed; `place` is given back then.
    Reader(std::shared_ptr<Shared> shared,
           const interfaces::Asker& asker,
           std::shared_ptr<const Arrival> arrival,
           Place place)
        : shared_(std::move(shared)),
          id_(++shared_->number_last),
          asker_(asker),
          info_(arrival->info),
          arrival_(std::move(arrival)),
          place_(std::move(place)) {}

    AskedQueue::AskerId id() const { return id_; }

    const interfaces::Asker& asker() const { return asker_; }

    const types::ContentInfo& info() const { return info_; }

    const interfaces::StoredContent* stored() const { return stored_.get(); }

    const Arrival* arrival() const { return arrival_.get(); }

    void read_block(std::uint64_t index, interfaces::Content::BlockCallback callback);

    // Reads as a disk task; `attempts` more are left when this one finds nothing.
    void submit(std::uint64_t index, BlockAnswer answer, unsigned attempts);

    // From now on reads go there.
    void replace(std::shared_ptr<interfaces::Content> by);

    // Nobody reads any more: places are free at once, reads that wait are Abandoned soon.
    void close();

    bool is_closed() const;

private:
    bool take_place();
    void give_place_back();
    void read_now(std::uint64_t index, BlockAnswer answer, unsigned attempts);
    std::shared_ptr<interfaces::Content> replacement() const;

    const std::shared_ptr<Shared> shared_;
    const AskedQueue::AskerId id_;
    const interfaces::Asker asker_;
    const types::ContentInfo info_;
    const std::shared_ptr<const interfaces::StoredContent> stored_;
    const std::shared_ptr<const Arrival> arrival_;
    mutable std::mutex mutex_;  // what follows
    Place place_;
    std::size_t reads_ = 0;  // that have a place
    bool is_closed_ = false;
    std::shared_ptr<interfaces::Content> replacement_;
};

Error nobody_reads();
// Of a call of open() that was taken back.
Error nobody_waits();

class Handle final : public interfaces::Content {
public:
    explicit Handle(std::shared_ptr<Reader> reader) : reader_(std::move(reader)) {}

    ~Handle() override { reader_->close(); }

    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    const types::ContentInfo& info() const override { return reader_->info(); }

    void read_block(std::uint64_t index, BlockCallback callback) override {
        reader_->read_block(index, std::move(callback));
    }

    Result<std::vector<blake3_tree::Hash>> tree_nodes(std::uint64_t first,
                                                      std::size_t count_max) const override;
    Result<std::vector<types::DirectoryEntry>> entries(std::uint64_t first,
                                                       std::size_t count_max) const override;
    Result<std::optional<types::DirectoryEntry>> find(std::string_view name) const override;

private:
    const std::shared_ptr<Reader> reader_;
};

}  // namespace draco::fetcher
