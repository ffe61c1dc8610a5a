#include "handle.hpp"

#include "draco/base/text_encoding.hpp"

#include "fetching.hpp"

#include <utility>

namespace draco::fetcher {
namespace {

// Of one call: a block may be damaged again when it has come again.
constexpr unsigned kAttempts = 3;

}  // namespace

Error nobody_reads() {
    return {Errc::Abandoned, "the content is no longer read"};
}

Error nobody_waits() {
    return {Errc::Abandoned, "who asked for the content does not wait for it"};
}

bool Reader::take_place() {
    if (!shared_->reads.take(asker_)) return false;
    const std::lock_guard lock(mutex_);
    ++reads_;
    return true;
}

void Reader::give_place_back() {
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return;
        --reads_;
    }
    shared_->reads.give_back(asker_);
}

bool Reader::is_closed() const {
    const std::lock_guard lock(mutex_);
    return is_closed_;
}

void Reader::close() {
    Place place;
    std::shared_ptr<interfaces::Content> replaced_by;
    std::size_t reads = 0;
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        reads = std::exchange(reads_, 0);
        place = std::move(place_);
        replaced_by.swap(replacement_);
    }
    shared_->reads.give_back(asker_, reads);
    // Callbacks are not called by who drops a Handle, perhaps under a lock of its own.
    shared_->board.note([self = shared_from_this(),
                         waiting = shared_->take_back(asker_.kind, id_)](Fetching* object) mutable {
        for (auto& task : waiting) task(Go::Cancel);
        object->reader_closed(*self);
    });
}

void Reader::read_block(std::uint64_t index, interfaces::Content::BlockCallback callback) {
    if (info_.kind != types::ContentKind::File || index >= info_.leaves)
        return callback(fail(Errc::InvalidArgument,
                             to_hex(info_.hash.view()) + " has no block " + std::to_string(index)));
    if (const auto next = replacement()) return next->read_block(index, std::move(callback));
    if (!take_place())
        return callback(fail(Errc::Exhausted, "too many reads of content wait; come back"));
    submit(index,
           BlockAnswer([self = shared_from_this(), index, callback = std::move(callback)](
                           Result<std::shared_ptr<const Bytes>> block) mutable {
               self->give_place_back();
               if (block && self->asker_.kind == interfaces::AskerClass::Payer)
                   self->shared_->sold(self->info_, index);
               callback(std::move(block));
           }),
           kAttempts);
}

void Reader::submit(std::uint64_t index, BlockAnswer answer, unsigned attempts) {
    shared_->ask_disk(
        asker_.kind,
        id_,
        [self = shared_from_this(), index, answer = std::move(answer), attempts](Go go) mutable {
            if (go == Go::Cancel || self->is_closed())
                return answer(std::unexpected(nobody_reads()));
            self->read_now(index, std::move(answer), attempts);
        });
}

void Reader::read_now(std::uint64_t index, BlockAnswer answer, unsigned attempts) {
    auto block = stored_ ? stored_->read_block(index) : arrival_->file->read_block(index);
    if (block) {
        if (arrival_)
            shared_->board.note([self = shared_from_this(), index](Fetching* object) {
                object->has_read(*self, index);
            });
        return answer(std::make_shared<const Bytes>(*std::move(block)));
    }
    const Errc code = block.error().code;
    if ((code != Errc::NotFound && code != Errc::Corrupt) || attempts == 0)
        return answer(std::unexpected(std::move(block).error()));
    shared_->board.note(
        [self = shared_from_this(), index, code, attempts, answer = std::move(answer)](
            Fetching* object) mutable {
            object->wait(self, index, code, std::move(answer), attempts - 1);
        });
}

std::shared_ptr<interfaces::Content> Reader::replacement() const {
    const std::lock_guard lock(mutex_);
    return replacement_;
}

void Reader::replace(std::shared_ptr<interfaces::Content> by) {
    const std::lock_guard lock(mutex_);
    if (!is_closed_) replacement_.swap(by);
}

Result<std::vector<blake3_tree::Hash>> Handle::tree_nodes(std::uint64_t first,
                                                          std::size_t count_max) const {
    if (info().kind != types::ContentKind::File)
        return fail(
            Errc::InvalidArgument,
            to_hex(info().hash.view()) + " is a directory; its tree is that of its entries");
    const std::span<const blake3_tree::Hash> nodes = reader_->stored() != nullptr
                                                         ? reader_->stored()->tree()->nodes()
                                                         : std::span(*reader_->arrival()->nodes);
    const auto from =
        nodes.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(first, nodes.size())));
    const auto page = from.first(std::min(count_max, from.size()));
    return std::vector<blake3_tree::Hash>(page.begin(), page.end());
}

Result<std::vector<types::DirectoryEntry>> Handle::entries(std::uint64_t first,
                                                           std::size_t count_max) const {
    if (reader_->stored() != nullptr) return reader_->stored()->entries(first, count_max);
    return fail(Errc::InvalidArgument, to_hex(info().hash.view()) + " is a file, not a directory");
}

Result<std::optional<types::DirectoryEntry>> Handle::find(std::string_view name) const {
    if (reader_->stored() != nullptr) return reader_->stored()->find(name);
    return fail(Errc::InvalidArgument, to_hex(info().hash.view()) + " is a file, not a directory");
}

}  // namespace draco::fetcher
