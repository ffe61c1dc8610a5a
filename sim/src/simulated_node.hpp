#pragma once
// A node of production on the capabilities of a simulated host.

#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/node/node.hpp"
#include "draco/simulon/world.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::sim {

// The simulated network under the names of its nodes: host i has key i. A liar's long messages,
// which are blocks of content, have a wrong byte.
class SimulatedPeers final : public interfaces::PeerTransport {
public:
    SimulatedPeers(Transport& transport, const std::vector<types::NodeKey>& keys, bool lies);

    PeerId self() const override { return transport_.self(); }

    Result<> send(PeerId to, Channel channel, Bytes message) override {
        if (lies_ && message.size() >= kLieBytesMin) message[message.size() / 2] ^= 1U;
        return transport_.send(to, channel, std::move(message));
    }

    void set_receiver(TransportReceiver* receiver) override { transport_.set_receiver(receiver); }

    std::optional<PeerId> id_of(const types::NodeKey& key) const override;
    std::optional<types::NodeKey> key_of(PeerId id) const override;

    // The world decides who is linked.
    void set_peers(std::vector<interfaces::PeerAddress> /*peers*/) override {}

    void refuse(PeerId peer, Duration /*pause*/) override { refused_ = peer; }

    // A peer that this node has accused of breaking the rules, which no node here does.
    std::optional<PeerId> refused() const { return refused_; }

private:
    static constexpr std::size_t kLieBytesMin = std::size_t{32} << 10;

    Transport& transport_;
    const bool lies_;
    const std::vector<types::NodeKey>& keys_;
    std::map<types::NodeKey, PeerId> ids_;
    std::optional<PeerId> refused_;
};

using BlockReport = std::function<void(const interfaces::LedgerBlock&)>;

class SimulatedNode final : public simulon::Program, interfaces::LedgerObserver {
public:
    SimulatedNode(const simulon::Host& host,
                  const std::vector<types::NodeKey>& keys,
                  types::NodeSecretKey key,
                  const types::Genesis& genesis,
                  bool lies,
                  BlockReport report);
    ~SimulatedNode() override;

    // Null if it did not start, or has failed for good and waits to be started again.
    node::Node* node() { return failed_ ? nullptr : node_.get(); }

    const std::string& failure() const { return failure_; }

    const SimulatedPeers& peers() const { return peers_; }

private:
    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override;

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

    log::NullLog log_;
    SimulatedPeers peers_;
    BlockReport report_;
    bool failed_ = false;
    std::string failure_;
    std::unique_ptr<node::Node> node_;
};

}  // namespace draco::sim
