#include "content_host.hpp"

#include <algorithm>
#include <utility>

namespace draco::gateway {
namespace {

static_assert(sdk::kBlockBytes == blake3_tree::kBlockBytes);

// One block, and the part of it that was asked for.
struct Cut {
    std::uint64_t block = 0;
    std::size_t block_bytes = 0;
    std::size_t begin = 0;
    std::size_t bytes = 0;
};

Result<Cut> cut_of(const types::ContentInfo& info, std::uint64_t first, std::size_t bytes_max) {
    if (info.kind != types::ContentKind::File)
        return fail(Errc::InvalidArgument, "a directory has no bytes");
    if (first >= info.bytes || bytes_max == 0)
        return fail(Errc::InvalidArgument, "no bytes of the file were asked for");
    const std::uint64_t block = first / sdk::kBlockBytes;
    const auto block_bytes = static_cast<std::size_t>(
        std::min<std::uint64_t>(sdk::kBlockBytes, info.bytes - block * sdk::kBlockBytes));
    const auto begin = static_cast<std::size_t>(first % sdk::kBlockBytes);
    return Cut{.block = block,
               .block_bytes = block_bytes,
               .begin = begin,
               .bytes = std::min(bytes_max, block_bytes - begin)};
}

Result<sdk::Piece> cut_out(std::shared_ptr<const Bytes> block, const Cut& cut) {
    if (!block || block->size() != cut.block_bytes)
        return fail(Errc::Corrupt, "a block of a wrong length");
    const ByteView bytes = ByteView(*block).subspan(cut.begin, cut.bytes);
    return sdk::Piece{.owner = std::move(block), .bytes = bytes};
}

std::unexpected<Error> nobody_waits() {
    return fail(Errc::Abandoned, "nobody waits for the answer any more");
}

}  // namespace

// What a service holds of an object. The object itself is the host's, which may drop it.
class ContentHost::OpenContent final : public sdk::Content {
public:
    OpenContent(std::shared_ptr<ContentHost> host, Ticket ticket, const types::ContentInfo& info)
        : host_(std::move(host)), ticket_(ticket), info_(info) {}

    OpenContent(const OpenContent&) = delete;
    OpenContent& operator=(const OpenContent&) = delete;

    ~OpenContent() override { host_->close(ticket_); }

    const types::ContentInfo& info() const override { return info_; }

    void read(std::uint64_t first, std::size_t bytes_max, sdk::PieceCallback callback) override {
        const auto cut = cut_of(info_, first, bytes_max);
        if (!cut) return callback(std::unexpected(cut.error()));
        // The callback may destroy this.
        const std::shared_ptr<interfaces::Content> content = host_->content(ticket_);
        if (!content) return callback(nobody_waits());
        content->read_block(cut->block,
                            [callback = std::move(callback),
                             cut = *cut](Result<std::shared_ptr<const Bytes>> block) mutable {
                                if (!block)
                                    return callback(std::unexpected(std::move(block).error()));
                                callback(cut_out(*std::move(block), cut));
                            });
    }

    void find(std::string_view name, FindCallback callback) override {
        if (info_.kind != types::ContentKind::Directory) return callback(no_directory());
        const std::shared_ptr<interfaces::Content> content = host_->content(ticket_);
        if (!content) return callback(nobody_waits());
        callback(content->find(name));
    }

    void list(std::uint64_t first, std::size_t count_max, ListCallback callback) override {
        if (info_.kind != types::ContentKind::Directory) return callback(no_directory());
        const std::shared_ptr<interfaces::Content> content = host_->content(ticket_);
        if (!content) return callback(nobody_waits());
        callback(content->entries(first, std::min(count_max, sdk::kListedAtOnceMax)));
    }

private:
    static std::unexpected<Error> no_directory() {
        return fail(Errc::InvalidArgument, "a file has no entries");
    }

    const std::shared_ptr<ContentHost> host_;
    const Ticket ticket_;
    const types::ContentInfo info_;
};

void ContentHost::open(const types::ContentHash& hash, OpenCallback callback) {
    const std::optional<Ticket> ticket = begin_opening();
    if (!ticket) return callback(nobody_waits());
    const interfaces::OpenId call = source_.open_for(
        asker_,
        hash,
        deadline_,
        [self = shared_from_this(), ticket = *ticket, callback = std::move(callback)](
            Result<std::shared_ptr<interfaces::Content>> content) mutable {
            self->opened(ticket, std::move(content), std::move(callback));
        });
    if (!note_call(*ticket, call)) source_.cancel(call);
}

std::optional<ContentHost::Ticket> ContentHost::begin_opening() {
    const std::lock_guard lock(mutex_);
    if (is_given_up_) return std::nullopt;
    openings_.emplace(++ticket_last_, std::nullopt);
    return ticket_last_;
}

// False: the request ended while the source was told of the call.
bool ContentHost::note_call(Ticket ticket, interfaces::OpenId call) {
    const std::lock_guard lock(mutex_);
    if (const auto found = openings_.find(ticket); found != openings_.end()) found->second = call;
    return !is_given_up_;
}

void ContentHost::opened(Ticket ticket,
                         Result<std::shared_ptr<interfaces::Content>> content,
                         OpenCallback callback) {
    if (!keep(ticket, content)) return callback(nobody_waits());
    if (!content) return callback(std::unexpected(std::move(content).error()));
    // From here on the host alone holds it.
    const types::ContentInfo info = (*std::exchange(content, nullptr))->info();
    callback(std::make_unique<OpenContent>(shared_from_this(), ticket, info));
}

// False: nobody waits for it any more.
bool ContentHost::keep(Ticket ticket, const Result<std::shared_ptr<interfaces::Content>>& content) {
    const std::lock_guard lock(mutex_);
    openings_.erase(ticket);
    if (content && !is_given_up_) contents_.emplace(ticket, *content);
    return !is_given_up_;
}

std::shared_ptr<interfaces::Content> ContentHost::content(Ticket ticket) const {
    const std::lock_guard lock(mutex_);
    const auto found = contents_.find(ticket);
    return found == contents_.end() ? nullptr : found->second;
}

// The content is destroyed outside the mutex.
void ContentHost::close(Ticket ticket) {
    std::shared_ptr<interfaces::Content> closed;
    const std::lock_guard lock(mutex_);
    if (const auto node = contents_.extract(ticket)) closed = node.mapped();
}

void ContentHost::give_up() {
    std::map<Ticket, std::optional<interfaces::OpenId>> openings;
    std::map<Ticket, std::shared_ptr<interfaces::Content>> contents;
    {
        const std::lock_guard lock(mutex_);
        is_given_up_ = true;
        openings.swap(openings_);
        contents.swap(contents_);
    }
    for (const auto& [ticket, call] : openings)
        if (call) source_.cancel(*call);
}

}  // namespace draco::gateway
