#pragma once
// interfaces::Ledger over the real application: the archive outlives a crash, the state is executed
// again from it.

#include "driver_world.hpp"

namespace draco::consensus::test {

class SimulatedLedger final : public interfaces::Ledger {
public:
    SimulatedLedger(const simulon::Host& host, Cluster& cluster, Home& home)
        : host_(host),
          cluster_(cluster),
          home_(home),
          application_(application::open(atomo::open_memory_storage(), cluster.genesis).value()) {
        for (const Bytes& bytes : home_.archive) {
            const auto archived = bcs::decode<interfaces::ArchivedBlock>(bytes).value();
            static_cast<void>(execute(content_of(archived)));
        }
    }

    interfaces::Application& application() { return *application_; }

    Result<> append(interfaces::BlockWithContent block, interfaces::BlockOrigin origin) override {
        const std::uint64_t next = head() + queue_.size() + 1;
        if (block.block.height.value() < next) return {};
        if (block.block.height.value() > next) return fail(Errc::InvalidArgument, "a gap");
        if (queue_.size() >= kQueueMax) return fail(Errc::Exhausted, "too many blocks wait");
        queue_.emplace_back(std::move(block), origin);
        schedule();
        return {};
    }

    Result<> certify(const types::BlockCertificate& certificate) override {
        const std::uint64_t height = certificate.statement.height.value();
        if (height > home_.archive.size() && certificate.statement.epoch < view()->epoch().epoch)
            return {};  // void
        if (height <= home_.archive.size() && digest_at(height) != certificate.statement.block)
            return epoch_at(height) > certificate.statement.epoch ? Result<>{}
                                                                  : fail(Errc::Corrupt, "a fork");
        home_.certified.insert_or_assign(height, certificate.statement.block);
        // Of an epoch that is not known yet it may be, as of a block that is not executed.
        const auto committee = view()->committee(certificate.statement.epoch).value();
        if (committee && !types::verify(cluster_.genesis.chain, *committee, certificate))
            cluster_.audit.violations.emplace_back("a block certificate does not verify");
        if (!certificate_ || certificate_->statement.height < certificate.statement.height)
            certificate_ = certificate;
        keep_certificate();
        return {};
    }

    std::shared_ptr<const interfaces::StateView> view() const override {
        return application_->view().value();
    }

    std::optional<types::BlockCertificate> latest_certificate() const override {
        return home_.certificate;
    }

    types::Height lowest() const override { return types::Height(1); }

    Result<std::optional<Bytes>> read(types::Height height) const override {
        if (height.value() == 0 || height.value() > home_.archive.size()) return std::nullopt;
        return home_.archive[height.value() - 1];
    }

    void add_observer(interfaces::LedgerObserver& observer) override {
        observers_.push_back(&observer);
    }

    void remove_observer(interfaces::LedgerObserver& observer) override {
        std::erase(observers_, &observer);
    }

    static interfaces::BlockWithContent content_of(const interfaces::ArchivedBlock& archived) {
        interfaces::BlockWithContent content;
        content.block = archived.block;
        for (const types::Batch& batch : *archived.batches)
            content.batches.push_back(std::make_shared<const types::Batch>(batch));
        return content;
    }

private:
    static constexpr std::size_t kQueueMax = 8;

    std::uint64_t head() const { return view()->head().height.value(); }

    types::Epoch epoch_at(std::uint64_t height) const {
        return bcs::decode<interfaces::ArchivedBlock>(home_.archive[height - 1])
            .value()
            .block.epoch;
    }

    types::BlockDigest digest_at(std::uint64_t height) const {
        return types::digest_of(
            cluster_.genesis.chain,
            bcs::decode<interfaces::ArchivedBlock>(home_.archive[height - 1]).value().block);
    }

    Result<interfaces::ExecutedBlock> execute(const interfaces::BlockWithContent& content) {
        return application_->execute({content.block,
                                      types::digest_of(cluster_.genesis.chain, content.block),
                                      content.batches});
    }

    void schedule() {
        if (busy_ || queue_.empty()) return;
        busy_ = true;
        const auto pause = Duration(static_cast<std::int64_t>(
            host_.rng.below(static_cast<std::uint64_t>(cluster_.execution_max.count()) + 1)));
        host_.executor.post_after(pause, [this] {
            busy_ = false;
            run_one();
            schedule();
        });
    }

    void run_one() {
        auto [content, origin] = std::move(queue_.front());
        queue_.pop_front();
        if (content.block.epoch != view()->epoch().epoch) {
            ++cluster_.audit.void_blocks;
            queue_.clear();
            return;
        }
        auto result = execute(content);
        if (!result) {
            cluster_.audit.violations.push_back("execution: " + to_string(result.error()));
            queue_.clear();
            return;
        }
        const auto digest = result->head.digest;
        cluster_.audit.executed(content.block, digest, result->state_root);
        interfaces::ArchivedBlock archived{content.block, {}, {}};
        for (const auto& batch : content.batches)
            static_cast<void>(archived.batches.try_push_back(*batch));
        home_.archive.push_back(bcs::encode(archived));
        keep_certificate();
        if (result->next_committee) {
            queue_.clear();
            certificate_ = home_.certificate;
        }
        content.digest = digest;
        const auto block = std::make_shared<const interfaces::LedgerBlock>(
            std::move(content), origin, *std::move(result));
        for (auto* observer : std::vector(observers_)) observer->on_block(block);
    }

    void keep_certificate() {
        if (certificate_ && certificate_->statement.height.value() <= home_.archive.size())
            home_.certificate = certificate_;
    }

    const simulon::Host& host_;
    Cluster& cluster_;
    Home& home_;
    std::unique_ptr<interfaces::Application> application_;
    std::deque<std::pair<interfaces::BlockWithContent, interfaces::BlockOrigin>> queue_;
    std::optional<types::BlockCertificate> certificate_;
    std::vector<interfaces::LedgerObserver*> observers_;
    bool busy_ = false;
};

}  // namespace draco::consensus::test
