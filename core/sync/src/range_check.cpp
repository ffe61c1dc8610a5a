#include "draco/sync/range_check.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace draco::sync {

namespace {

std::string name(types::Height height) {
    return "block " + std::to_string(height.value());
}

}  // namespace

RangeCheck::RangeCheck(types::ChainId chain,
                       types::Committee committee,
                       std::optional<Base> base,
                       std::size_t blocks_max,
                       std::size_t bytes_max,
                       BoundOf bound)
    : chain_(chain),
      committee_(std::move(committee)),
      tip_(base),
      blocks_max_(base ? blocks_max : 0),
      bytes_max_(bytes_max),
      bound_(bound),
      blocks_left_(blocks_max_),
      bytes_left_(bytes_max) {}

Result<> RangeCheck::add(ByteView chunk) {
    if (chunk.size() > bytes_left_)
        return fail(Errc::Corrupt, "an answer goes on beyond what was asked for");
    bytes_left_ -= chunk.size();
    reader_.add(chunk);
    while (true) {
        DRACO_TRY(record, reader_.next(status_ ? kBlockBytesMax : kStatusBytesMax));
        if (!record) return {};
        if (!status_) {
            DRACO_TRY_VOID(take_status(*record));
        } else {
            DRACO_TRY_VOID(take_block(*record));
        }
    }
}

Result<> RangeCheck::finish() const {
    if (!status_ || !reader_.is_between_records())
        return fail(Errc::Corrupt, "an answer ends too early");
    if (!uncertified_.empty())
        return fail(Errc::Unavailable,
                    "nothing certifies " + name(uncertified_.front().content.block.height) +
                        " and those after it");
    return {};
}

Result<> RangeCheck::take_status(ByteView record) {
    auto status = bcs::decode<Status>(record);
    if (!status)
        return fail(Errc::Corrupt, "a status does not decode: " + to_string(status.error()));
    if (status->latest && status->latest->statement.epoch == committee_.epoch()) {
        DRACO_TRY_VOID(types::verify(chain_, committee_, *status->latest));
        status_is_verified_ = true;
    }
    status_ = *std::move(status);
    return {};
}

Result<> RangeCheck::take_block(ByteView record) {
    if (blocks_left_ == 0)
        return fail(Errc::Corrupt, "an answer has more blocks than were asked for");
    --blocks_left_;
    auto archived = decode_block(record);
    if (!archived) return std::unexpected(std::move(archived).error());
    types::Block& block = archived->block;
    const types::Height due(tip_->height.value() + 1);
    if (block.height != due || block.parent != tip_->digest || block.epoch != committee_.epoch())
        return fail(Errc::Corrupt, name(due) + " does not follow the one before it");
    if (block.batches->size() != archived->batches->size())
        return fail(Errc::Corrupt, name(due) + " comes without its batches");
    CertifiedBlock checked{
        .content = {.block = {}, .digest = types::digest_of(chain_, block), .batches = {}},
        .certificate = std::nullopt};
    std::vector<types::Batch> batches = std::move(archived->batches).take();
    checked.content.batches.reserve(batches.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
        if (types::digest_of(chain_, batches[i]) != (*block.batches)[i])
            return fail(Errc::Corrupt, name(due) + " comes with another batch than it names");
        checked.content.batches.push_back(
            std::make_shared<const types::Batch>(std::move(batches[i])));
    }
    checked.content.block = std::move(block);
    tip_ = Base{.height = due, .digest = checked.content.digest};
    uncertified_.push_back(std::move(checked));
    // The archive's certificate may be of a later block: then it says nothing yet.
    if (archived->certificate && archived->certificate->statement.height == due)
        return certify_up_to(*archived->certificate);
    if (status_is_verified_ && status_->latest->statement.height == due)
        return certify_up_to(*status_->latest);
    return {};
}

Result<> RangeCheck::certify_up_to(const types::BlockCertificate& certificate) {
    if (certificate.statement.block != tip_->digest)
        return fail(Errc::Corrupt, name(tip_->height) + " is not the one that is certified");
    const bool is_of_status = status_is_verified_ && certificate == *status_->latest;
    if (!is_of_status) DRACO_TRY_VOID(types::verify(chain_, committee_, certificate));
    uncertified_.back().certificate = certificate;
    blocks_certified_ += uncertified_.size();
    for (CertifiedBlock& block : uncertified_) certified_.push_back(std::move(block));
    uncertified_.clear();
    if (bound_ == BoundOf::Uncertified) {
        blocks_left_ = blocks_max_;
        bytes_left_ = bytes_max_ - std::min(bytes_max_, reader_.buffered_bytes());
    }
    return {};
}

}  // namespace draco::sync
