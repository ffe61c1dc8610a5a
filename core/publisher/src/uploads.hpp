#pragma once
// Content on its way in from the owner, piece by piece: each piece names where it belongs, so that
// one whose answer was lost can be sent again.

#include "draco/base/clock.hpp"
#include "draco/interfaces/content.hpp"
#include "draco/publisher/publisher.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace draco::publisher {

// Thread-safe; calls wait for the disk. NotFound everywhere: no such upload, it was given up, or it
// rested too long. Unavailable: another request works on it.
class Uploads {
public:
    // All outlive it.
    Uploads(interfaces::Blockstore& store, const Clock& clock, const PublisherLimits& limits);
    ~Uploads();
    Uploads(const Uploads&) = delete;
    Uploads& operator=(const Uploads&) = delete;

    // Exhausted: too many.
    Result<std::uint64_t> begin(types::ContentKind kind);
    // How many bytes are here then. AlreadyExists unless the piece begins where the last one ended;
    // one that is here already is taken as said again.
    Result<std::uint64_t> append(std::uint64_t id, std::uint64_t offset, ByteView piece);
    // What has come is the whole. With `pinned` nothing evicts it before it is. The upload is over,
    // also when this fails.
    Result<types::ContentInfo> finish(std::uint64_t id, bool pinned);
    Result<> abandon(std::uint64_t id);

private:
    struct Upload;
    class Work;

    Result<types::ContentInfo> put_directory(const std::vector<types::DirectoryEntry>& entries,
                                             bool pinned);
    Result<Work> take(std::uint64_t id);
    void drop_idle(Instant now);

    interfaces::Blockstore& store_;
    const Clock& clock_;
    const PublisherLimits& limits_;
    std::mutex mutex_;  // guards what follows, and each upload's `busy` and `used`
    std::map<std::uint64_t, std::shared_ptr<Upload>> uploads_;
    std::uint64_t last_id_ = 0;
};

}  // namespace draco::publisher
