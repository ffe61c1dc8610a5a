#pragma once
// A file on its way to become an object, with the room that it takes. Removed unless it was
// published. Thread-safe, but for seal() and what follows it, which have one caller at a time.

#include "draco/base/disk.hpp"

#include "store.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace draco::blockstore {

class StagedFile {
public:
    // Takes over room for one object and no bytes.
    StagedFile(std::shared_ptr<Store> store, std::shared_ptr<File> file, std::string path);
    ~StagedFile();
    StagedFile(const StagedFile&) = delete;
    StagedFile& operator=(const StagedFile&) = delete;

    Store& store() const { return *store_; }

    const std::string& path() const { return path_; }

    const std::shared_ptr<File>& file() const { return file_; }

    // Reserves the room, evicting as needed, and writes; syncs if too much is not synced. A failure
    // leaves no room reserved.
    Result<> write(std::uint64_t offset, ByteView bytes);
    // What was written once too often, or is to be written anew.
    void give_back(std::uint64_t bytes);

    // Puts tree and footer behind the data and makes all durable. Once done it is not done again,
    // and the first footer stays; once the disk has failed to sync, it fails for good.
    Result<> seal(const Footer& footer, const std::vector<blake3_tree::Hash>& nodes);

    // Precondition: sealed.
    const Footer& footer() const { return footer_; }

    // It has another name, and its room is that of an object.
    void set_published();
    // It lost its name, or the disk does not say: what it takes is counted until the next start.
    void set_stranded();

private:
    enum class State : std::uint8_t { Open, Sealed, Failed, Published, Stranded };

    const std::shared_ptr<Store> store_;
    std::shared_ptr<File> file_;
    const std::string path_;
    Result<> sync();

    std::atomic<std::uint64_t> bytes_ = 0;           // reserved
    std::atomic<std::uint64_t> unsynced_bytes_ = 0;  // written since the last sync began
    std::atomic<bool> has_sync_failed_ = false;      // then nobody knows what the disk has
    State state_ = State::Open;
    Footer footer_;
};

}  // namespace draco::blockstore
