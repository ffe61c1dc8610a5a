#pragma once
// Tells the links who belongs to the network: the own workers, and every node that the state knows.
// Whoever registers a worker's key as a node's does not lead the links elsewhere. Read again when
// an epoch ends, and otherwise at most every kRefresh of block time, since nodes also change within
// an epoch.

#include "draco/affair/registry.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"

#include <memory>
#include <optional>

namespace draco::node {

class Membership final : interfaces::LedgerObserver {
public:
    static constexpr std::uint64_t kRefreshMs = 1000;
    static constexpr std::size_t kNodesMax = 4096;

    Membership(interfaces::Ledger& ledger,
               interfaces::Links& links,
               const types::NodeKey& self,
               std::vector<interfaces::PeerAddress> workers);
    ~Membership() override;
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

    Result<> start();

private:
    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override;

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

    bool is_worker(const types::NodeKey& key) const;
    Result<> refresh();

    interfaces::Ledger& ledger_;
    interfaces::Links& links_;
    types::NodeKey self_;
    const std::vector<interfaces::PeerAddress> workers_;
    std::optional<UnixTime> refreshed_;
    std::vector<interfaces::PeerAddress> told_;
    bool observes_ = false;
};

}  // namespace draco::node
