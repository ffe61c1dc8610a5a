#include "uploads.hpp"

#include "draco/bcs/bcs.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace draco::publisher {
namespace {

constexpr int kPutAttempts = 5;

using Entries = bcs::Bounded<std::vector<types::DirectoryEntry>, blake3_tree::kDirectoryEntriesMax>;

}  // namespace

struct Uploads::Upload {
    std::unique_ptr<interfaces::FileWriter> file{};  // null: a directory
    Bytes directory{};
    std::uint64_t bytes = 0;
    bool failed = false;
    bool busy = false;
    Instant used{};
};

// The right to work on an upload, for one request at a time.
class Uploads::Work {
public:
    Work(Uploads& uploads, std::uint64_t id, std::shared_ptr<Upload> upload)
        : uploads_(&uploads), id_(id), upload_(std::move(upload)) {}

    Work(Work&& other) noexcept
        : uploads_(other.uploads_), id_(other.id_), upload_(std::move(other.upload_)) {}

    Work& operator=(Work&&) = delete;

    ~Work() {
        if (!upload_) return;
        const std::scoped_lock lock(uploads_->mutex_);
        upload_->busy = false;
        upload_->used = uploads_->clock_.now();
    }

    Upload* operator->() const { return upload_.get(); }

    void end() const {
        const std::scoped_lock lock(uploads_->mutex_);
        uploads_->uploads_.erase(id_);
    }

private:
    Uploads* uploads_;
    std::uint64_t id_;
    std::shared_ptr<Upload> upload_;
};

Uploads::Uploads(interfaces::Blockstore& store, const Clock& clock, const PublisherLimits& limits)
    : store_(store), clock_(clock), limits_(limits) {}

Uploads::~Uploads() = default;

Result<std::uint64_t> Uploads::begin(types::ContentKind kind) {
    auto upload = std::make_shared<Upload>();
    if (kind == types::ContentKind::File) {
        DRACO_TRY(writer, store_.write_file());
        upload->file = std::move(writer);
    }
    upload->used = clock_.now();
    const std::scoped_lock lock(mutex_);
    drop_idle(upload->used);
    const auto directories =
        std::ranges::count_if(uploads_, [](const auto& each) { return !each.second->file; });
    if (uploads_.size() >= limits_.uploads_max ||
        (!upload->file && std::cmp_greater_equal(directories, limits_.directory_uploads_max)))
        return fail(Errc::Unavailable,
                    std::to_string(uploads_.size()) + " uploads are under way; end one first");
    uploads_.emplace(++last_id_, std::move(upload));
    return last_id_;
}

Result<std::uint64_t> Uploads::append(std::uint64_t id, std::uint64_t offset, ByteView piece) {
    DRACO_TRY(work, take(id));
    if (work->failed)
        return fail(Errc::NotFound, "upload " + std::to_string(id) + " has failed; begin another");
    if (const auto end = checked_add(offset, std::uint64_t{piece.size()});
        end && offset < work->bytes && *end == work->bytes)
        return work->bytes;
    if (offset != work->bytes)
        return fail(Errc::AlreadyExists,
                    "the next piece of upload " + std::to_string(id) + " begins at " +
                        std::to_string(work->bytes) + ", not at " + std::to_string(offset));
    if (!work->file) {
        if (piece.size() > limits_.directory_bytes_max - work->directory.size())
            return fail(Errc::InvalidArgument,
                        "a directory has at most " + std::to_string(limits_.directory_bytes_max) +
                            " bytes");
        draco::append(work->directory, piece);
    } else if (auto written = work->file->write(piece); !written) {
        work->failed = true;
        return std::unexpected(written.error());
    }
    work->bytes += piece.size();
    return work->bytes;
}

Result<types::ContentInfo> Uploads::finish(std::uint64_t id, bool pinned) {
    DRACO_TRY(work, take(id));
    work.end();
    if (work->failed)
        return fail(Errc::NotFound, "upload " + std::to_string(id) + " has failed; begin another");
    if (work->file) {
        DRACO_TRY(info, work->file->finish());
        if (pinned) DRACO_TRY_VOID(store_.pin(info.hash));  // its writer still holds it
        return info;
    }
    const auto entries = bcs::decode<Entries>(work->directory);
    if (!entries)
        return fail(Errc::InvalidArgument,
                    "the directory is not the BCS of its entries: " + to_string(entries.error()));
    return put_directory(**entries, pinned);
}

// Nobody holds a directory that was put: when it is gone before it is pinned, it is put again.
Result<types::ContentInfo> Uploads::put_directory(const std::vector<types::DirectoryEntry>& entries,
                                                  bool pinned) {
    for (int attempt = 0; attempt < kPutAttempts; ++attempt) {
        DRACO_TRY(info, store_.put_directory(entries));
        if (!pinned) return info;
        const auto outcome = store_.pin(info.hash);
        if (outcome) return info;
        if (outcome.error().code != Errc::NotFound) return std::unexpected(outcome.error());
    }
    return fail(Errc::Unavailable,
                "the directory is evicted before it can be pinned: send it again when less comes "
                "in, or make room");
}

Result<> Uploads::abandon(std::uint64_t id) {
    DRACO_TRY(work, take(id));
    work.end();
    return {};
}

Result<Uploads::Work> Uploads::take(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    drop_idle(clock_.now());
    const auto found = uploads_.find(id);
    if (found == uploads_.end())
        return fail(Errc::NotFound,
                    "there is no upload " + std::to_string(id) +
                        ": it has ended, or rested too long; begin another");
    if (found->second->busy)
        return fail(Errc::Unavailable,
                    "another request works on upload " + std::to_string(id) + "; wait for it");
    found->second->busy = true;
    return Work(*this, id, found->second);
}

void Uploads::drop_idle(Instant now) {
    std::erase_if(uploads_, [&](const auto& each) {
        return !each.second->busy && now - each.second->used > limits_.upload_idle_max;
    });
}

}  // namespace draco::publisher
