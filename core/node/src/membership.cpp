#include "membership.hpp"

#include <algorithm>
#include <utility>

namespace draco::node {

Membership::Membership(interfaces::Ledger& ledger,
                       interfaces::Links& links,
                       const types::NodeKey& self,
                       std::vector<interfaces::PeerAddress> workers)
    : ledger_(ledger), links_(links), self_(self), workers_(std::move(workers)) {}

Membership::~Membership() {
    if (observes_) ledger_.remove_observer(*this);
}

Result<> Membership::start() {
    DRACO_TRY_VOID(refresh());
    ledger_.add_observer(*this);
    observes_ = true;
    return {};
}

void Membership::on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) {
    const UnixTime now = block->content.block.timestamp;
    if (!block->result.next_committee && refreshed_ && now.ms < refreshed_->ms + kRefreshMs) return;
    refreshed_ = now;
    // A state that cannot be read stops the ledger itself with its next block.
    static_cast<void>(refresh());
}

bool Membership::is_worker(const types::NodeKey& key) const {
    return std::ranges::find(workers_, key, &interfaces::PeerAddress::key) != workers_.end();
}

Result<> Membership::refresh() {
    const auto view = ledger_.view();
    std::vector<interfaces::PeerAddress> peers = workers_;
    std::optional<types::NodeKey> last;
    while (peers.size() < kNodesMax) {
        DRACO_TRY(page, view->nodes(last, 256));
        if (page.empty()) break;
        last = page.back().first;
        for (const auto& [key, record] : page)
            if (key != self_ && !is_worker(key))
                peers.push_back({.key = key,
                                 .host = *record.endpoints.host,
                                 .port = record.endpoints.link_port});
    }
    if (peers == told_) return {};
    told_ = peers;
    links_.set_peers(std::move(peers));
    return {};
}

}  // namespace draco::node
