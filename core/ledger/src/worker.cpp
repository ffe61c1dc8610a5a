#include "worker.hpp"

#include "draco/base/text_encoding.hpp"

#include <utility>

namespace draco::ledger {
namespace {

using interfaces::LedgerBlock;
using types::BlockCertificate;
using types::ChainHead;
using types::Height;

ChainHead head_of(const LedgerBlock& block) {
    return {block.content.block.height, block.content.digest, block.content.block.timestamp};
}

}  // namespace

Worker::Worker(interfaces::Application& application,
               Archive& archive,
               Shared& shared,
               log::Logger log,
               const Options& options)
    : application_(application),
      archive_(archive),
      shared_(shared),
      log_(std::move(log)),
      options_(options),
      view_(shared.view) {}

Result<> Worker::handle(Wake /*wake*/) {
    auto done = run(take_group());
    if (!done) {
        const std::lock_guard lock(shared_.mutex);
        shared_.failed = true;
        log_.error("the ledger stops: what is archived is safe, and is executed at the next start",
                   {{"height", view_->head().height.value()}, {"error", to_string(done.error())}});
        return done;
    }
    rest();
    return {};
}

Worker::Group Worker::take_group() {
    const std::lock_guard lock(shared_.mutex);
    shared_.wake_sent = false;
    Group group;
    Height last = shared_.head.height;
    for (const QueuedBlock& queued : shared_.queue) {
        // Whether a block is of the running epoch is known only once the one before is executed.
        const bool this_epoch = queued.block->content.block.epoch == view_->epoch().epoch;
        if (group.blocks.size() == options_.group_blocks_max ||
            (!this_epoch && !group.blocks.empty()))
            break;
        group.blocks.push_back(queued.block);
        last = queued.block->content.block.height;
    }
    auto& waiting = shared_.certificates;
    for (auto it = waiting.begin(); it != waiting.end() && it->first <= last; ++it)
        // That of another block at a height to come says that this group goes beyond its epoch.
        if (it->first <= shared_.head.height ||
            group.blocks[it->first.value() - shared_.head.height.value() - 1]->content.digest ==
                it->second.statement.block)
            group.certificates.push_back(it->second);
    return group;
}

Result<> Worker::run(Group group) {
    DRACO_TRY_VOID(archive_group(group));
    auto certificate = group.certificates.begin();
    const auto publish_certificates_to = [&](Height height) {
        for (; certificate != group.certificates.end() && certificate->statement.height <= height;
             ++certificate)
            publish(*certificate);
    };
    publish_certificates_to(view_->head().height);
    for (const auto& block : group.blocks) {
        DRACO_TRY_VOID(execute(block));
        publish_certificates_to(view_->head().height);
        if (block->result.next_committee) {
            archive_.forget_above(view_->head().height);
            break;
        }
    }
    return keep_bounds();
}

Result<> Worker::check(const LedgerBlock& block, const ChainHead& before) const {
    const auto& content = block.content;
    const auto refuse = [&](const std::string& what) {
        return fail(Errc::InvalidArgument,
                    "block " + std::to_string(content.block.height.value()) + " (" +
                        to_hex(content.digest.view()) + ") " + what +
                        "; it was not archived. Whoever handed it over has a fault: report it");
    };
    if (content.block.epoch != view_->epoch().epoch) return refuse("is not of the running epoch");
    if (content.block.timestamp <= before.timestamp)
        return refuse("is not later than the one before");
    if (content.digest != types::digest_of(view_->chain(), content.block))
        return refuse("has another digest");
    for (std::size_t i = 0; i < content.batches.size(); ++i)
        if (types::digest_of(view_->chain(), *content.batches[i]) != (*content.block.batches)[i])
            return refuse("has a batch that it does not name, at place " + std::to_string(i));
    return {};
}

Result<> Worker::archive_group(const Group& group) {
    if (group.blocks.empty() && group.certificates.empty()) return {};
    ChainHead before = view_->head();
    for (const auto& block : group.blocks) {
        // A block in the archive that cannot be executed would stop every later start.
        DRACO_TRY_VOID(check(*block, before));
        DRACO_TRY(bytes, archive_.add(block->content));
        bytes_since_sync_ += bytes;
        before = head_of(*block);
    }
    for (const BlockCertificate& certificate : group.certificates)
        DRACO_TRY_VOID(archive_.add(certificate));
    return archive_.sync();
}

Result<> Worker::execute(const std::shared_ptr<LedgerBlock>& block) {
    const auto& content = block->content;
    DRACO_TRY(result, application_.execute({content.block, content.digest, content.batches}));
    DRACO_TRY(view, application_.view());
    block->result = std::move(result);
    ++blocks_since_sync_;
    view_ = view;
    publish(block, std::move(view));
    return {};
}

void Worker::publish(const std::shared_ptr<const LedgerBlock>& block,
                     std::shared_ptr<const interfaces::StateView> view) {
    {
        const std::lock_guard lock(shared_.mutex);
        shared_.head = head_of(*block);
        shared_.view = std::move(view);
        shared_.queue_bytes -= shared_.queue.front().bytes;
        shared_.queue.pop_front();
        shared_.drop_void();
        if (block->result.next_committee) shared_.epoch_end = shared_.head.height;
        shared_.recent.push_back(block->content.digest);
        if (shared_.recent.size() > kRecentDigestsMax) shared_.recent.pop_front();
    }
    const std::lock_guard lock(shared_.observers_mutex);
    for (auto* observer : shared_.observers) observer->on_block(block);
}

void Worker::publish(const BlockCertificate& certificate) {
    const Height height = certificate.statement.height;
    {
        const std::lock_guard lock(shared_.mutex);
        shared_.certificates.erase(height);
        if (!shared_.latest_certificate || shared_.latest_certificate->statement.height < height)
            shared_.latest_certificate = certificate;
    }
    const std::lock_guard lock(shared_.observers_mutex);
    for (auto* observer : shared_.observers) observer->on_certificate(certificate);
}

Result<> Worker::sync_state() {
    DRACO_TRY_VOID(application_.sync());
    durable_ = view_->head().height;
    blocks_since_sync_ = bytes_since_sync_ = 0;
    return {};
}

bool Worker::over_bounds() const {
    return archive_.disk_bytes() > options_.archive_bytes_max ||
           archive_.blocks() > options_.archive_blocks_max;
}

Result<> Worker::keep_bounds() {
    if (blocks_since_sync_ >= options_.state_sync_blocks ||
        bytes_since_sync_ >= options_.state_sync_bytes)
        DRACO_TRY_VOID(sync_state());
    if (!options_.state_is_durable || !over_bounds()) return {};
    const Height head = view_->head().height;
    const Height lowest_before = archive_.lowest();
    while (over_bounds()) {
        const auto highest = archive_.oldest_segment_highest();
        // The head stays: it shows that archive and state are of one chain.
        if (!highest || *highest >= head) break;
        if (*highest > durable_) DRACO_TRY_VOID(sync_state());
        archive_.drop_oldest_segment();
        if (const auto& latest = shared_.latest_certificate;
            latest && latest->statement.height < archive_.lowest())
            DRACO_TRY_VOID(archive_.add(*latest));
        DRACO_TRY_VOID(archive_.sync());
    }
    if (archive_.lowest() != lowest_before)
        log_.info("old blocks were dropped from the archive",
                  {{"lowest", archive_.lowest().value()}, {"bytes", archive_.disk_bytes()}});
    return {};
}

// Goes on with what came meanwhile, or makes an idle archive's last group recognisable.
void Worker::rest() {
    {
        const std::lock_guard lock(shared_.mutex);
        const bool more =
            !shared_.queue.empty() || (!shared_.certificates.empty() &&
                                       shared_.certificates.begin()->first <= shared_.head.height);
        if (more) {
            shared_.wake();
            return;
        }
    }
    // A failure shows again, with consequences, at the next write.
    static_cast<void>(archive_.protect());
}

}  // namespace draco::ledger
