#include "draco/blockstore/blockstore.hpp"

#include "arriving_file.hpp"
#include "directory_writer.hpp"
#include "file_writer.hpp"
#include "store.hpp"
#include "stored_object.hpp"

#include <utility>

namespace draco::blockstore {
namespace {

using types::ContentHash;

class Blockstore final : public interfaces::Blockstore {
public:
    explicit Blockstore(std::shared_ptr<Store> store) : store_(std::move(store)) {}

    Result<std::shared_ptr<const interfaces::StoredContent>> open(
        const ContentHash& hash) override {
        return store_->find(hash, Use::Counts);
    }

    bool has(const ContentHash& hash) const override { return store_->has(hash); }

    Result<std::unique_ptr<interfaces::FileWriter>> write_file() override {
        DRACO_TRY(staged, store_->stage());
        return std::make_unique<FileWriter>(std::move(staged));
    }

    Result<std::unique_ptr<interfaces::ArrivingFile>> arrive(const ContentHash& hash,
                                                             std::vector<blake3_tree::Hash> nodes,
                                                             std::uint64_t bytes) override {
        return blockstore::arrive(*store_, hash, std::move(nodes), bytes);
    }

    Result<types::ContentInfo> put_directory(
        const std::vector<types::DirectoryEntry>& entries) override {
        return blockstore::put_directory(*store_, entries);
    }

    Result<> pin(const ContentHash& hash) override { return store_->pin(hash); }

    Result<> unpin(const ContentHash& hash) override { return store_->unpin(hash); }

    Result<> remove(const ContentHash& hash) override { return store_->remove(hash); }

    std::vector<interfaces::ListedContent> list(const std::optional<ContentHash>& after,
                                                std::size_t count_max) const override {
        return store_->list(after, count_max);
    }

    interfaces::StoreUsage usage() const override { return store_->usage(); }

    interfaces::ScrubReport scrub(std::uint64_t bytes_max) override {
        return store_->scrub(bytes_max);
    }

private:
    const std::shared_ptr<Store> store_;
};

}  // namespace

Result<std::unique_ptr<interfaces::Blockstore>> open(Disk& disk,
                                                     const Options& options,
                                                     log::Log& log) {
    DRACO_TRY(store, Store::open(disk, options, log));
    return std::make_unique<Blockstore>(std::move(store));
}

}  // namespace draco::blockstore
