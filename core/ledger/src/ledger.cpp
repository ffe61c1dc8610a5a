#include "draco/ledger/ledger.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/blake3_tree/hasher.hpp"

#include "archive.hpp"
#include "replay.hpp"
#include "shared.hpp"
#include "worker.hpp"

#include <algorithm>
#include <utility>

namespace draco::ledger {
namespace {

using interfaces::BlockOrigin;
using interfaces::BlockWithContent;
using interfaces::LedgerBlock;
using types::BlockCertificate;
using types::BlockDigest;
using types::ChainHead;
using types::Height;

// Segments beyond those that archive_bytes_max asks for: what the state does not cover yet.
constexpr std::size_t kSegmentsSlack = 64;
constexpr std::size_t kSegmentsMax = std::size_t{1} << 20;

std::string name_of(Height height, const BlockDigest& digest) {
    return "block " + std::to_string(height.value()) + " (" + to_hex(digest.view()) + ")";
}

class ArchivingLedger final : public interfaces::Ledger {
public:
    ArchivingLedger(std::unique_ptr<interfaces::Application> application,
                    std::unique_ptr<Archive> archive,
                    log::Logger log,
                    const Options& options)
        : application_(std::move(application)),
          archive_(std::move(archive)),
          log_(std::move(log)),
          options_(options) {}

    ~ArchivingLedger() override;

    Result<> start(affair::Registry& registry);

    Result<> append(BlockWithContent content, BlockOrigin origin) override;
    Result<> certify(const BlockCertificate& certificate) override;
    std::shared_ptr<const interfaces::StateView> view() const override;
    std::optional<BlockCertificate> latest_certificate() const override;

    Height lowest() const override { return archive_->lowest(); }

    Result<std::optional<Bytes>> read(Height height) const override;
    void add_observer(interfaces::LedgerObserver& observer) override;
    void remove_observer(interfaces::LedgerObserver& observer) override;

private:
    // The digest of a queued or executed height, as far as it is in memory. With the mutex held.
    std::optional<BlockDigest> known_digest(Height height) const;
    Result<> check_fork(Height height,
                        const BlockDigest& theirs,
                        types::Epoch epoch,
                        std::string_view what) const;
    bool is_superseded(Height height, types::Epoch epoch) const;
    std::unexpected<Error> fork(Height height,
                                const BlockDigest& ours,
                                const BlockDigest& theirs,
                                std::string_view what) const;
    Result<> enqueue(BlockWithContent content, BlockOrigin origin, std::uint64_t bytes);
    Result<> check_next(const BlockWithContent& content, const ChainHead& tail) const;
    static std::unexpected<Error> stopped();

    std::unique_ptr<interfaces::Application> application_;
    std::unique_ptr<Archive> archive_;
    const log::Logger log_;
    const Options options_;
    mutable Shared shared_;
    // Last: it ends before what it uses.
    std::optional<affair::Owner<Worker>> owner_;
};

ArchivingLedger::~ArchivingLedger() {
    owner_.reset();
    if (shared_.failed || !shared_.view) return;
    const auto sealed = archive_->seal();
    const auto synced = application_->sync();
    for (const auto* done : {&sealed, &synced})
        if (!*done)
            log_.warn("the ledger was not closed cleanly: the next start repairs that",
                      {{"error", to_string(done->error())}});
}

Result<> ArchivingLedger::start(affair::Registry& registry) {
    DRACO_TRY(view, application_->view());
    shared_.head = view->head();
    shared_.recent.push_back(shared_.head.digest);
    DRACO_TRY(newest, archive_->newest_certificate());
    shared_.latest_certificate = std::move(newest);
    shared_.view = std::move(view);
    DRACO_TRY(owner, registry.spawn<Worker>({.name = "ledger", .capacity = 2}, [this] {
        return std::make_unique<Worker>(*application_, *archive_, shared_, log_, options_);
    }));
    owner_.emplace(std::move(owner));
    const std::lock_guard lock(shared_.mutex);
    shared_.object = owner_->address();
    return {};
}

std::unexpected<Error> ArchivingLedger::stopped() {
    return fail(Errc::Unavailable,
                "the ledger has stopped: its storage failed or the node is stopping; the log has "
                "the reason");
}

std::unexpected<Error> ArchivingLedger::fork(Height height,
                                             const BlockDigest& ours,
                                             const BlockDigest& theirs,
                                             std::string_view what) const {
    log_.error("a fork: two blocks of one height",
               {{"height", height.value()},
                {"ours", to_hex(ours.view())},
                {"theirs", to_hex(theirs.view())},
                {"theirs_is", std::string(what)}});
    return fail(Errc::Corrupt,
                "a fork: " + name_of(height, ours) + " is in this chain, and " + std::string(what) +
                    " names " + to_hex(theirs.view()) +
                    "; stop the node, keep its data, and compare with other operators");
}

std::optional<BlockDigest> ArchivingLedger::known_digest(Height height) const {
    const std::uint64_t head = shared_.head.height.value();
    if (height.value() > head) {
        const std::uint64_t index = height.value() - head - 1;
        if (index >= shared_.queue.size()) return std::nullopt;
        return shared_.queue[index].block->content.digest;
    }
    const std::uint64_t behind = head - height.value();
    if (behind >= shared_.recent.size()) return std::nullopt;
    return shared_.recent[shared_.recent.size() - 1 - behind];
}

// Of a height at or below the last queued one. Reads the disk for old heights.
Result<> ArchivingLedger::check_fork(Height height,
                                     const BlockDigest& theirs,
                                     types::Epoch epoch,
                                     std::string_view what) const {
    std::optional<BlockDigest> ours;
    {
        const std::lock_guard lock(shared_.mutex);
        ours = known_digest(height);
    }
    if (!ours) {
        DRACO_TRY(archived, archive_->digest(height));
        ours = archived;
    }
    if (!ours || *ours == theirs || is_superseded(height, epoch)) return {};
    return fork(height, *ours, theirs, what);
}

// Whether the executed block of that height is of a later epoch: the other one was void. Reads the
// disk, for what is a fork otherwise.
bool ArchivingLedger::is_superseded(Height height, types::Epoch epoch) const {
    const auto bytes = read(height);
    if (!bytes || !*bytes) return false;
    const auto archived = bcs::decode<interfaces::ArchivedBlock>(**bytes);
    return archived && archived->block.epoch > epoch;
}

Result<> ArchivingLedger::check_next(const BlockWithContent& content, const ChainHead& tail) const {
    const Height height = content.block.height;
    if (content.block.parent != tail.digest)
        return fork(tail.height, tail.digest, content.block.parent, "the block after it");
    if (const auto found = shared_.certificates.find(height);
        found != shared_.certificates.end() && found->second.statement.block != content.digest)
        return fork(height, content.digest, found->second.statement.block, "a certificate");
    const bool whole =
        content.batches.size() == content.block.batches->size() &&
        std::ranges::all_of(content.batches, [](const auto& b) { return b != nullptr; });
    if (!whole)
        return fail(Errc::InvalidArgument,
                    name_of(height, content.digest) + " comes without all its batches");
    return {};
}

Result<> ArchivingLedger::append(BlockWithContent content, BlockOrigin origin) {
    const Height height = content.block.height;
    {
        const std::lock_guard lock(shared_.mutex);
        if (shared_.failed) return stopped();
        if (shared_.is_void(content.block)) return {};
        const ChainHead tail = shared_.tail();
        if (height.value() > tail.height.value() + 1)
            return fail(Errc::InvalidArgument,
                        name_of(height, content.digest) + " leaves a gap: the last one is " +
                            std::to_string(tail.height.value()));
    }
    std::uint64_t bytes = bcs::encoded_size(content.block);
    for (const auto& batch : content.batches)
        if (batch) bytes += bcs::encoded_size(*batch);
    return enqueue(std::move(content), origin, bytes);
}

Result<> ArchivingLedger::enqueue(BlockWithContent content,
                                  BlockOrigin origin,
                                  std::uint64_t bytes) {
    const Height height = content.block.height;
    std::unique_lock lock(shared_.mutex);
    if (shared_.is_void(content.block)) return {};
    const ChainHead tail = shared_.tail();
    // Also one that follows a block which these make void.
    if (shared_.makes_void(std::min(height, tail.height), content.block.epoch) &&
        content.block.parent != tail.digest)
        return fail(Errc::Exhausted,
                    name_of(height, content.digest) +
                        " is of an epoch whose beginning is not executed; come back after the next "
                        "block");
    if (height <= tail.height) {
        lock.unlock();
        return check_fork(height, content.digest, content.block.epoch, "a block handed over");
    }
    DRACO_TRY_VOID(check_next(content, tail));
    if (shared_.queue.size() >= options_.blocks_waiting_max ||
        (!shared_.queue.empty() && shared_.queue_bytes + bytes > options_.bytes_waiting_max))
        return fail(Errc::Exhausted,
                    std::to_string(shared_.queue.size()) + " blocks of " +
                        std::to_string(shared_.queue_bytes) +
                        " bytes wait to be executed; come back after the next one");
    auto block = std::make_shared<LedgerBlock>(
        LedgerBlock{.content = std::move(content), .origin = origin, .result = {}});
    shared_.queue.push_back({std::move(block), bytes});
    shared_.queue_bytes += bytes;
    if (shared_.wake()) return {};
    shared_.queue.pop_back();
    shared_.queue_bytes -= bytes;
    return stopped();
}

Result<> ArchivingLedger::certify(const BlockCertificate& certificate) {
    const Height height = certificate.statement.height;
    const BlockDigest& theirs = certificate.statement.block;
    if (height == Height(0))
        return fail(Errc::InvalidArgument, "a certificate of height 0: genesis has none");
    std::unique_lock lock(shared_.mutex);
    if (shared_.is_void(certificate.statement)) return {};
    const bool over_void = shared_.makes_void(height, certificate.statement.epoch);
    if (!known_digest(height) && height <= shared_.head.height) {
        lock.unlock();
        DRACO_TRY_VOID(check_fork(height, theirs, certificate.statement.epoch, "a certificate"));
        lock.lock();
    }
    if (const auto ours = known_digest(height); ours && *ours != theirs && !over_void) {
        lock.unlock();
        if (is_superseded(height, certificate.statement.epoch)) return {};
        return fork(height, *ours, theirs, "a certificate");
    }
    const bool executed = height <= shared_.head.height;
    if (executed && (height < archive_->lowest() || archive_->has_certificate(height))) return {};
    auto& waiting = shared_.certificates;
    waiting.emplace(height, certificate);
    if (waiting.size() > options_.certificates_waiting_max) waiting.erase(std::prev(waiting.end()));
    if (executed) static_cast<void>(shared_.wake());
    return {};
}

std::shared_ptr<const interfaces::StateView> ArchivingLedger::view() const {
    const std::lock_guard lock(shared_.mutex);
    return shared_.view;
}

std::optional<BlockCertificate> ArchivingLedger::latest_certificate() const {
    const std::lock_guard lock(shared_.mutex);
    return shared_.latest_certificate;
}

Result<std::optional<Bytes>> ArchivingLedger::read(Height height) const {
    {
        const std::lock_guard lock(shared_.mutex);
        if (height > shared_.head.height) return std::nullopt;
    }
    return archive_->read(height);
}

void ArchivingLedger::add_observer(interfaces::LedgerObserver& observer) {
    const std::lock_guard lock(shared_.observers_mutex);
    shared_.observers.push_back(&observer);
}

void ArchivingLedger::remove_observer(interfaces::LedgerObserver& observer) {
    const std::lock_guard lock(shared_.observers_mutex);
    std::erase(shared_.observers, &observer);
}

Result<> check(const Options& options) {
    for (const auto& [value, name] :
         {std::pair{options.blocks_waiting_max, "blocks_waiting_max"},
          std::pair{options.certificates_waiting_max, "certificates_waiting_max"},
          std::pair{options.group_blocks_max, "group_blocks_max"},
          std::pair{options.archive_blocks_max, "archive_blocks_max"}})
        if (value == 0)
            return fail(Errc::InvalidArgument,
                        "the ledger's options: " + std::string(name) + " must be at least 1");
    return {};
}

// Names the archive of one chain, so that segments of another never pass.
segment_log::LogId archive_id(const types::GenesisDigest& genesis) {
    const auto mode = blake3_tree::Mode::derive_key("draco.network 2026 block archive v1");
    return segment_log::LogId(blake3_tree::hash(genesis.view(), mode).bytes);
}

std::size_t segments_max(const Options& options) {
    if (!options.state_is_durable) return kSegmentsMax;
    const std::uint64_t wanted =
        options.archive_bytes_max / std::max<std::uint64_t>(options.segment_bytes, 1);
    return std::min<std::uint64_t>(wanted, kSegmentsMax) + kSegmentsSlack;
}

}  // namespace

Result<std::unique_ptr<interfaces::Ledger>> open(
    std::unique_ptr<interfaces::Application> application,
    Disk& disk,
    affair::Registry& registry,
    log::Log& log,
    const Options& options) {
    DRACO_TRY_VOID(check(options));
    const log::Logger logger(log, "ledger");
    DRACO_TRY(view, application->view());
    const auto id = archive_id(view->genesis());
    view.reset();
    DRACO_TRY(archive,
              Archive::open(disk,
                            {.directory = options.directory,
                             .id = id,
                             .segment_bytes = options.segment_bytes,
                             .segments_max = segments_max(options)}));
    DRACO_TRY_VOID(replay(*application, *archive, logger));
    auto ledger = std::make_unique<ArchivingLedger>(
        std::move(application), std::move(archive), logger, options);
    DRACO_TRY_VOID(ledger->start(registry));
    return ledger;
}

}  // namespace draco::ledger
