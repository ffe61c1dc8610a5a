#include "simulated_node.hpp"

#include "draco/node/first_start.hpp"

#include <utility>

namespace draco::sim {

SimulatedPeers::SimulatedPeers(Transport& transport,
                               const std::vector<types::NodeKey>& keys,
                               bool lies)
    : transport_(transport), lies_(lies), keys_(keys) {
    for (std::size_t i = 0; i < keys.size(); ++i)
        ids_.emplace(keys[i], PeerId(static_cast<std::uint32_t>(i)));
}

std::optional<PeerId> SimulatedPeers::id_of(const types::NodeKey& key) const {
    const auto found = ids_.find(key);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<types::NodeKey> SimulatedPeers::key_of(PeerId id) const {
    if (id.value() >= keys_.size()) return std::nullopt;
    return keys_[id.value()];
}

SimulatedNode::SimulatedNode(const simulon::Host& host,
                             const std::vector<types::NodeKey>& keys,
                             types::NodeSecretKey key,
                             const types::Genesis& genesis,
                             bool lies,
                             BlockReport report)
    : peers_(host.transport, keys, lies), report_(std::move(report)) {
    node::NodeConfig config;
    config.state.backend = "memory";
    // The key itself needs no file here, but what says that it was used does.
    const auto first_start = [&]() -> Result<bool> {
        DRACO_TRY_VOID(host.disk.create_directory(config.keys.directory));
        DRACO_TRY_VOID(host.disk.sync_directory(""));
        return node::take_first_start(host.disk, config.keys.directory);
    }();
    if (!first_start) {
        failed_ = true;
        failure_ = to_string(first_start.error());
        return;
    }
    auto started = node::Node::start(
        {.executor = host.executor,
         .disk_executor = host.executor,
         .disk = host.disk,
         .rng = host.rng,
         .peers = peers_,
         .log = log_},
        {.key = std::move(key), .signed_elsewhere = false, .first_start = *first_start},
        genesis,
        config,
        [this](const affair::Escalation& escalation) {
            failed_ = true;
            failure_ = escalation.name + ": " + to_string(escalation.error);
        },
        node::MessageSignatures::Trusted);
    if (!started) {
        failed_ = true;
        failure_ = to_string(started.error());
        return;
    }
    node_ = *std::move(started);
    node_->ledger().add_observer(*this);
}

SimulatedNode::~SimulatedNode() {
    if (node_) node_->ledger().remove_observer(*this);
}

void SimulatedNode::on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) {
    report_(*block);
}

}  // namespace draco::sim
