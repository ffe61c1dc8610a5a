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

class SourceContent final : public sdk::Content {
public:
    explicit SourceContent(std::shared_ptr<interfaces::Content> content)
        : content_(std::move(content)) {}

    const types::ContentInfo& info() const override { return content_->info(); }

    void read(std::uint64_t first, std::size_t bytes_max, sdk::PieceCallback callback) override {
        const auto cut = cut_of(info(), first, bytes_max);
        if (!cut) return callback(std::unexpected(cut.error()));
        // The callback may destroy this.
        const std::shared_ptr<interfaces::Content> content = content_;
        content->read_block(cut->block,
                            [callback = std::move(callback),
                             cut = *cut](Result<std::shared_ptr<const Bytes>> block) mutable {
                                if (!block)
                                    return callback(std::unexpected(std::move(block).error()));
                                callback(cut_out(*std::move(block), cut));
                            });
    }

    void find(std::string_view name, FindCallback callback) override {
        if (info().kind != types::ContentKind::Directory) return callback(no_directory());
        callback(content_->find(name));
    }

    void list(std::uint64_t first, std::size_t count_max, ListCallback callback) override {
        if (info().kind != types::ContentKind::Directory) return callback(no_directory());
        callback(content_->entries(first, std::min(count_max, sdk::kListedAtOnceMax)));
    }

private:
    static std::unexpected<Error> no_directory() {
        return fail(Errc::InvalidArgument, "a file has no entries");
    }

    const std::shared_ptr<interfaces::Content> content_;
};

}  // namespace

void ContentHost::open(const types::ContentHash& hash, OpenCallback callback) {
    source_.open_for(asker_,
                     hash,
                     deadline_,
                     [callback = std::move(callback)](
                         Result<std::shared_ptr<interfaces::Content>> content) mutable {
                         if (!content) return callback(std::unexpected(std::move(content).error()));
                         callback(std::make_unique<SourceContent>(*std::move(content)));
                     });
}

}  // namespace draco::gateway
