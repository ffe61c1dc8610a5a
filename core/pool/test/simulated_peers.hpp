#pragma once
// A simulated node's links as a PeerTransport: ids and keys come from a table. A link to a key that
// is refused is told to be down until the pause is over, on this side only.

#include "draco/base/assert.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/simulon/world.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace draco::pool {

class SimulatedPeers final : public interfaces::PeerTransport, TransportReceiver {
public:
    // keys[i] is that of node i. Lives as long as the program of `host`.
    SimulatedPeers(const simulon::Host& host, std::vector<types::NodeKey> keys)
        : host_(host), keys_(std::move(keys)) {}

    ~SimulatedPeers() override { host_.transport.set_receiver(nullptr); }

    SimulatedPeers(const SimulatedPeers&) = delete;
    SimulatedPeers& operator=(const SimulatedPeers&) = delete;

    PeerId self() const override { return host_.id; }

    Result<> send(PeerId to, Channel channel, Bytes message) override {
        if (is_refused(to)) return fail(Errc::Unavailable, "the peer is refused for a while");
        return host_.transport.send(to, channel, std::move(message));
    }

    void set_receiver(TransportReceiver* receiver) override {
        receiver_ = receiver;
        host_.transport.set_receiver(receiver == nullptr ? nullptr : this);
    }

    std::optional<PeerId> id_of(const types::NodeKey& key) const override {
        const auto found = std::ranges::find(keys_, key);
        if (found == keys_.end()) return std::nullopt;
        return PeerId(static_cast<std::uint32_t>(found - keys_.begin()));
    }

    std::optional<types::NodeKey> key_of(PeerId id) const override {
        if (id.value() >= keys_.size()) return std::nullopt;
        return keys_[id.value()];
    }

    // Who is linked with whom is the world's business.
    void set_peers(std::vector<interfaces::PeerAddress> /*peers*/) override {}

    void refuse(PeerId peer, Duration pause) override {
        refused_[peer] = host_.clock.now() + pause;
        host_.executor.post([this, peer] { tell_down(peer); });
        host_.executor.post_after(pause, [this, peer] { end_refusal(peer); });
    }

private:
    bool is_refused(PeerId peer) const { return refused_.contains(peer); }

    void tell_down(PeerId peer) {
        if (told_up_.erase(peer) != 0 && receiver_ != nullptr) receiver_->on_link_down(peer);
    }

    void end_refusal(PeerId peer) {
        const auto found = refused_.find(peer);
        if (found == refused_.end() || found->second > host_.clock.now()) return;
        refused_.erase(found);
        if (!up_.contains(peer) || receiver_ == nullptr) return;
        told_up_.insert(peer);
        receiver_->on_link_up(peer);
    }

    void on_message(PeerId from, Channel channel, ByteView message) override {
        if (receiver_ != nullptr && told_up_.contains(from))
            receiver_->on_message(from, channel, message);
    }

    void on_link_up(PeerId peer) override {
        up_.insert(peer);
        if (is_refused(peer) || receiver_ == nullptr) return;
        told_up_.insert(peer);
        receiver_->on_link_up(peer);
    }

    void on_link_down(PeerId peer) override {
        up_.erase(peer);
        tell_down(peer);
    }

    const simulon::Host& host_;
    std::vector<types::NodeKey> keys_;
    TransportReceiver* receiver_ = nullptr;
    std::map<PeerId, Instant> refused_;
    std::set<PeerId> up_;
    std::set<PeerId> told_up_;
};

}  // namespace draco::pool
