#include "membership.hpp"

#include <utility>

namespace draco::node {

Membership::Membership(interfaces::Ledger& ledger,
                       interfaces::Links& links,
                       const types::NodeKey& self)
    : ledger_(ledger), links_(links), self_(self) {}

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

Result<> Membership::refresh() {
    const auto view = ledger_.view();
    std::vector<interfaces::PeerAddress> peers;
    std::optional<types::NodeKey> last;
    while (peers.size() < kNodesMax) {
        DRACO_TRY(page, view->nodes(last, 256));
        if (page.empty()) break;
        last = page.back().first;
        for (const auto& [key, record] : page)
            if (key != self_)
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
