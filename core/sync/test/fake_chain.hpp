#pragma once
// A certified chain without a state machine, and a ledger in memory that "executes" it: epochs of
// kEpochBlocks blocks, a committee of its own for each.

#include "draco/base/executor.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace draco::sync::testing {

using namespace draco::types;  // NOLINT(google-build-using-namespace): the vocabulary of the tests
using interfaces::ArchivedBlock;
using interfaces::BlockWithContent;

inline const ChainId kChain{7};
inline constexpr std::uint64_t kEpochBlocks = 200;

struct Seats {
    std::vector<NodeSecretKey> secrets;  // as the committee's members
    Committee committee;

    static Seats make(Epoch epoch, Rng& rng) {
        std::vector<NodeSecretKey> secrets;
        std::vector<NodeKey> keys;
        for (int i = 0; i < 4; ++i) {
            secrets.push_back(NodeSecretKey::generate(rng));
            keys.push_back(secrets.back().public_key());
        }
        Seats seats{{}, Committee::make(epoch, keys).value()};
        for (const NodeKey& key : seats.committee.members())
            for (NodeSecretKey& secret : secrets)
                if (secret.public_key() == key) seats.secrets.push_back(std::move(secret));
        return seats;
    }

    BlockCertificate certify(const BlockStatement& statement, std::size_t count = 3) const {
        BlockCertificate certificate{statement, {}, {}};
        const auto digest = digest_of(kChain, statement);
        for (std::uint16_t i = 0; i < count; ++i) {
            certificate.signers.insert(AuthorityIndex(i));
            EXPECT_TRUE(certificate.signatures.try_push_back(secrets[i].sign(digest.view())));
        }
        return certificate;
    }
};

inline Bytes encode_block(const BlockWithContent& content,
                          const std::optional<BlockCertificate>& certificate) {
    std::vector<Batch> batches;
    for (const auto& batch : content.batches) batches.push_back(*batch);
    return bcs::encode(ArchivedBlock{
        content.block,
        bcs::Bounded<std::vector<Batch>, kBlockBatchesMax>::make(std::move(batches)).value(),
        certificate});
}

// The truth. Every third block, and each epoch's last, has a certificate.
class FakeChain {
public:
    explicit FakeChain(std::uint64_t blocks) {
        simulon::SeededRng rng(5);
        BlockDigest parent;
        for (std::uint64_t height = 1; height <= blocks; ++height) {
            const Epoch epoch((height - 1) / kEpochBlocks);
            if (seats.size() <= epoch.value()) seats.push_back(Seats::make(epoch, rng));
            BlockWithContent content;
            content.block.epoch = epoch;
            content.block.height = Height(height);
            content.block.parent = parent;
            auto batch = std::make_shared<Batch>();
            batch->epoch = epoch;
            batch->sequence = height;
            Bytes bytes(kTransactionBytesMin + rng.below(height % 50 == 0 ? 40'000 : 2'000));
            rng.fill(bytes);
            EXPECT_TRUE(batch->transactions.try_push_back(bytes));
            EXPECT_TRUE(content.block.batches.try_push_back(digest_of(kChain, *batch)));
            content.batches.push_back(std::move(batch));
            content.digest = digest_of(kChain, content.block);
            if (height % 3 == 0 || height % kEpochBlocks == 0)
                certificates.emplace(
                    height, seats.back().certify({epoch, Height(height), parent, content.digest}));
            parent = content.digest;
            contents.push_back(std::move(content));
        }
        seats.push_back(Seats::make(Epoch(seats.size()), rng));
    }

    const BlockWithContent& at(std::uint64_t height) const { return contents.at(height - 1); }

    std::optional<BlockCertificate> certificate(std::uint64_t height) const {
        const auto found = certificates.find(height);
        if (found == certificates.end()) return std::nullopt;
        return found->second;
    }

    // Of the block after `head`.
    const Committee& committee_after(std::uint64_t head) const {
        return seats.at(head / kEpochBlocks).committee;
    }

    std::vector<BlockWithContent> contents;
    std::map<std::uint64_t, BlockCertificate> certificates;
    std::vector<Seats> seats;
};

inline const FakeChain& the_chain() {
    static const FakeChain chain(620);
    return chain;
}

class FakeView final : public interfaces::StateView {
public:
    FakeView(ChainHead head, const Committee& committee) : head_(head) {
        epoch_.epoch = committee.epoch();
        for (const NodeKey& key : committee.members())
            EXPECT_TRUE(epoch_.committee.try_push_back(key));
    }

    ChainId chain() const override { return kChain; }

    GenesisDigest genesis() const override { return {}; }

    const ChainParameters& parameters() const override { return parameters_; }

    const ChainHead& head() const override { return head_; }

    StateRoot state_root() const override { return {}; }

    const EpochInfo& epoch() const override { return epoch_; }

    const Supply& supply() const override { return supply_; }

    Result<Account> account(const Address&) const override { return Account{}; }

    Result<std::optional<NodeRecord>> node(const NodeKey&) const override { return std::nullopt; }

    Result<std::vector<std::pair<Address, Account>>> accounts(const std::optional<Address>&,
                                                              std::size_t) const override {
        return std::vector<std::pair<Address, Account>>{};
    }

    Result<std::vector<std::pair<NodeKey, NodeRecord>>> nodes(const std::optional<NodeKey>&,
                                                              std::size_t) const override {
        return std::vector<std::pair<NodeKey, NodeRecord>>{};
    }

    Result<std::optional<Committee>> committee(Epoch) const override { return std::nullopt; }

    Result<std::optional<Receipt>> receipt(const TransactionHash&) const override {
        return std::nullopt;
    }

    Result<Bytes> prove_account(const Address&) const override { return Bytes{}; }

    UsdAmount revenue_pot() const override { return {}; }

    Result<std::optional<Lane>> lane(const LaneKey&) const override { return std::nullopt; }

    Result<std::vector<std::pair<LaneKey, Lane>>> lanes(const std::optional<LaneKey>&,
                                                        std::size_t) const override {
        return std::vector<std::pair<LaneKey, Lane>>{};
    }

    Result<std::vector<std::pair<LaneKey, Lane>>> lanes_of(const Address&,
                                                           const std::optional<LaneKey>&,
                                                           std::size_t) const override {
        return std::vector<std::pair<LaneKey, Lane>>{};
    }

    Result<std::vector<std::pair<Commodity, UnitPrice>>> prices() const override {
        return std::vector<std::pair<Commodity, UnitPrice>>{};
    }

    Result<std::vector<std::pair<ServiceId, Service>>> services() const override {
        return std::vector<std::pair<ServiceId, Service>>{};
    }

    Result<std::optional<NodeRevenue>> node_revenue(Epoch, const NodeKey&) const override {
        return std::nullopt;
    }

    Result<std::optional<EpochRevenue>> epoch_revenue(Epoch) const override { return std::nullopt; }

private:
    ChainHead head_;
    ChainParameters parameters_;
    EpochInfo epoch_;
    Supply supply_;
};

// What a node's disk keeps of its chain, across crashes.
struct Disk {
    std::uint64_t head = 0;
    std::uint64_t lowest = 1;
    std::map<std::uint64_t, BlockCertificate> certificates;
    std::string broken;  // what must never happen
};

// Believes nothing but the truth: a block that is not the chain's is noted as broken.
class FakeLedger final : public interfaces::Ledger {
public:
    FakeLedger(const FakeChain& chain, Disk& disk, Executor& executor)
        : chain_(chain), disk_(disk), executor_(executor), queued_(disk.head) {}

    ~FakeLedger() override { *alive_ = false; }

    Result<> append(BlockWithContent block, interfaces::BlockOrigin origin) override {
        const std::uint64_t height = block.block.height.value();
        if (height <= queued_) return {};
        if (height != queued_ + 1) return fail(Errc::InvalidArgument, "a gap");
        if (queued_ - disk_.head >= 16) return fail(Errc::Exhausted, "too many wait");
        if (block.digest != chain_.at(height).digest || block.block != chain_.at(height).block ||
            *block.batches.at(0) != *chain_.at(height).batches.at(0))
            disk_.broken = "a wrong block was appended";
        ++queued_;
        executor_.post_after(std::chrono::milliseconds(2), [this, alive = alive_, origin] {
            if (*alive) execute(origin);
        });
        return {};
    }

    Result<> certify(const BlockCertificate& certificate) override {
        const std::uint64_t height = certificate.statement.height.value();
        if (disk_.certificates.contains(height)) return {};
        if (certificate.statement.block != chain_.at(height).digest)
            disk_.broken = "a wrong block was certified";
        disk_.certificates.emplace(height, certificate);
        if (height <= disk_.head)
            executor_.post([this, alive = alive_, certificate] {
                if (!*alive) return;
                for (auto* observer : observers_) observer->on_certificate(certificate);
            });
        return {};
    }

    std::shared_ptr<const interfaces::StateView> view() const override {
        return std::make_shared<FakeView>(head(), chain_.committee_after(disk_.head));
    }

    std::optional<BlockCertificate> latest_certificate() const override {
        const auto above = disk_.certificates.upper_bound(disk_.head);
        if (above == disk_.certificates.begin()) return std::nullopt;
        return std::prev(above)->second;
    }

    Height lowest() const override { return Height(disk_.lowest); }

    Result<std::optional<Bytes>> read(Height height) const override {
        if (height.value() < disk_.lowest || height.value() > disk_.head) return std::nullopt;
        const auto found = disk_.certificates.find(height.value());
        return encode_block(
            chain_.at(height.value()),
            found == disk_.certificates.end() ? std::nullopt : std::optional(found->second));
    }

    void add_observer(interfaces::LedgerObserver& observer) override {
        observers_.push_back(&observer);
    }

    void remove_observer(interfaces::LedgerObserver& observer) override {
        std::erase(observers_, &observer);
    }

private:
    ChainHead head() const {
        if (disk_.head == 0) return {};
        return {Height(disk_.head), chain_.at(disk_.head).digest, {}};
    }

    void execute(interfaces::BlockOrigin origin) {
        ++disk_.head;
        auto block = std::make_shared<interfaces::LedgerBlock>(interfaces::LedgerBlock{
            .content = chain_.at(disk_.head), .origin = origin, .result = {}});
        block->result.head = head();
        if (disk_.head % kEpochBlocks == 0)
            block->result.next_committee = chain_.committee_after(disk_.head);
        for (auto* observer : observers_) observer->on_block(block);
        const auto found = disk_.certificates.find(disk_.head);
        if (found == disk_.certificates.end()) return;
        for (auto* observer : observers_) observer->on_certificate(found->second);
    }

    const FakeChain& chain_;
    Disk& disk_;
    Executor& executor_;
    std::uint64_t queued_;
    std::vector<interfaces::LedgerObserver*> observers_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace draco::sync::testing
