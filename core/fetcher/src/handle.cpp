#include "handle.hpp"

#include "draco/base/text_encoding.hpp"

#include "fetching.hpp"

#include <utility>

namespace draco::fetcher {
namespace {

// Of one call: a block may be damaged again when it has come again.
constexpr unsigned kAttempts = 3;

}  // namespace

void Shared::add_arrival(const std::shared_ptr<const Arrival>& arrival) {
    const std::lock_guard lock(mutex_);
    arrivals_[arrival->info.hash] = arrival;
}

void Shared::remove_arrival(const types::ContentHash& hash) {
    std::shared_ptr<const Arrival> dropped;
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(hash);
    if (found == arrivals_.end()) return;
    dropped = std::move(found->second);
    arrivals_.erase(found);
}

std::shared_ptr<const Arrival> Shared::arrival(const types::ContentHash& hash) const {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(hash);
    return found == arrivals_.end() ? nullptr : found->second;
}

Counts Shared::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void Shared::set_counts(const Counts& counts) {
    const std::lock_guard lock(mutex_);
    counts_ = counts;
}

Handle::~Handle() {
    if (!arrival_) return;
    shared_->board.note([hash = info_.hash, download = arrival_->download](Fetching* object) {
        object->handle_gone(hash, download);
    });
}

void Handle::read_block(std::uint64_t index, BlockCallback callback) {
    if (info_.kind != types::ContentKind::File || index >= info_.leaves)
        return callback(fail(Errc::InvalidArgument,
                             to_hex(info_.hash.view()) + " has no block " + std::to_string(index)));
    if (const auto next = replacement()) return next->read_block(index, std::move(callback));
    if (shared_->reads.fetch_add(1) >= shared_->options.reads_max) {
        --shared_->reads;
        return callback(fail(Errc::Exhausted, "too many reads of content wait; come back"));
    }
    submit(index,
           BlockAnswer([shared = shared_, callback = std::move(callback)](
                           Result<std::shared_ptr<const Bytes>> block) mutable {
               --shared->reads;
               callback(std::move(block));
           }),
           kAttempts);
}

void Handle::submit(std::uint64_t index, BlockAnswer answer, unsigned attempts) {
    shared_->run_on_disk(
        [self = shared_from_this(), index, answer = std::move(answer), attempts]() mutable {
            self->read_now(index, std::move(answer), attempts);
        });
}

void Handle::read_now(std::uint64_t index, BlockAnswer answer, unsigned attempts) {
    auto block = stored_ ? stored_->read_block(index) : arrival_->file->read_block(index);
    if (block) return answer(std::make_shared<const Bytes>(*std::move(block)));
    const Errc code = block.error().code;
    if ((code != Errc::NotFound && code != Errc::Corrupt) || attempts == 0)
        return answer(std::unexpected(std::move(block).error()));
    shared_->board.note(
        [self = shared_from_this(), index, code, attempts, answer = std::move(answer)](
            Fetching* object) mutable {
            object->wait(self, index, code, std::move(answer), attempts - 1);
        });
}

std::shared_ptr<interfaces::Content> Handle::replacement() const {
    const std::lock_guard lock(mutex_);
    return replacement_;
}

void Handle::replace(std::shared_ptr<interfaces::Content> by) {
    const std::lock_guard lock(mutex_);
    replacement_.swap(by);
}

Result<std::vector<blake3_tree::Hash>> Handle::tree_nodes(std::uint64_t first,
                                                          std::size_t count_max) const {
    if (info_.kind != types::ContentKind::File)
        return fail(Errc::InvalidArgument,
                    to_hex(info_.hash.view()) + " is a directory; its tree is that of its entries");
    const std::span<const blake3_tree::Hash> nodes =
        stored_ ? stored_->tree()->nodes() : std::span(*arrival_->nodes);
    const auto from =
        nodes.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(first, nodes.size())));
    const auto page = from.first(std::min(count_max, from.size()));
    return std::vector<blake3_tree::Hash>(page.begin(), page.end());
}

Result<std::vector<types::DirectoryEntry>> Handle::entries(std::uint64_t first,
                                                           std::size_t count_max) const {
    if (stored_) return stored_->entries(first, count_max);
    return fail(Errc::InvalidArgument, to_hex(info_.hash.view()) + " is a file, not a directory");
}

Result<std::optional<types::DirectoryEntry>> Handle::find(std::string_view name) const {
    if (stored_) return stored_->find(name);
    return fail(Errc::InvalidArgument, to_hex(info_.hash.view()) + " is a file, not a directory");
}

}  // namespace draco::fetcher
