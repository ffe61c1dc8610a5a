#pragma once
// interfaces::Links over the transport of a simulated node: one frame per message, and answers of
// one frame without content.

#include "driver_world.hpp"

#include <set>

namespace draco::consensus::test {

class SimulatedLinks final : public interfaces::Links, public TransportReceiver {
public:
    SimulatedLinks(const simulon::Host& host, const types::NodeKey& self, Cluster& cluster)
        : host_(host), self_(self), cluster_(cluster) {
        host_.transport.set_receiver(this);
    }

    ~SimulatedLinks() override { host_.transport.set_receiver(nullptr); }

    std::uint64_t messages_sent() const { return sent_; }

    const types::NodeKey& self() const override { return self_; }

    Result<> send(const types::NodeKey& to,
                  interfaces::Protocol protocol,
                  Channel channel,
                  ByteView message) override {
        const auto peer = cluster_.machine_of(to);
        if (!peer) return fail(Errc::NotFound, "unknown peer");
        if (protocol == interfaces::Protocol::Consensus)
            cluster_.audit.sent(self_, cluster_.genesis.chain, message);
        ++sent_;
        return host_.transport.send(*peer, channel, frame(Kind::Message, protocol, 0, message));
    }

    void set_receiver(interfaces::Protocol protocol,
                      interfaces::MessageReceiver* receiver) override {
        receivers_[protocol] = receiver;
        if (receiver == nullptr) return;
        host_.executor.post([this, protocol] {
            for (const PeerId peer : up_)
                if (auto* told = receivers_[protocol]) told->on_link_up(key(peer));
        });
    }

    Result<interfaces::RequestId> request(
        const types::NodeKey& to,
        interfaces::Protocol protocol,
        Bytes request,
        const interfaces::RequestOptions& options,
        std::unique_ptr<interfaces::ResponseReceiver> receiver) override {
        const auto peer = cluster_.machine_of(to);
        if (!peer) return fail(Errc::NotFound, "unknown peer");
        const std::uint64_t id = ++next_request_;
        DRACO_TRY_VOID(host_.transport.send(
            *peer, Channel::Control, frame(Kind::Request, protocol, id, request)));
        open_.emplace(id, std::pair(*peer, std::move(receiver)));
        host_.executor.post_at(options.deadline, [this, id] {
            end(id, fail(Errc::DeadlineExceeded, "no answer in time"));
        });
        return interfaces::RequestId(id);
    }

    void grant(interfaces::RequestId /*request*/, std::size_t /*bytes*/) override {}

    void cancel(interfaces::RequestId request) override {
        end(request.value(), fail(Errc::Abandoned, "cancelled"));
    }

    void set_handler(interfaces::Protocol protocol, interfaces::RequestHandler* handler) override {
        handlers_[protocol] = handler;
    }

    void set_peers(std::vector<interfaces::PeerAddress> /*peers*/) override {}

    std::vector<types::NodeKey> connected() const override {
        std::vector<types::NodeKey> keys;
        for (const PeerId peer : up_) keys.push_back(key(peer));
        std::ranges::sort(keys);
        return keys;
    }

    std::vector<interfaces::LinkSnapshot> snapshot() const override { return {}; }

    // --- TransportReceiver ---

    void on_message(PeerId from, Channel /*channel*/, ByteView bytes) override {
        const auto kind = Kind(bytes[0]);
        const auto protocol = interfaces::Protocol(bytes[1]);
        const auto id = load_le<std::uint64_t>(bytes.data() + 2);
        const ByteView payload = bytes.subspan(10);
        if (kind == Kind::Message) {
            if (auto* receiver = receivers_[protocol]) receiver->on_message(key(from), payload);
        } else if (kind == Kind::Request) {
            if (auto* handler = handlers_[protocol])
                handler->on_request(
                    key(from), to_bytes(payload), std::make_unique<Reply>(*this, from, id));
        } else {
            if (payload[0] == 0) return end(id, {});
            end(id, fail(Errc(payload[0] - 1), std::string(as_text(payload.subspan(1)))));
        }
    }

    void on_link_up(PeerId peer) override {
        up_.insert(peer);
        for (const auto& [protocol, receiver] : receivers_)
            if (receiver != nullptr) receiver->on_link_up(key(peer));
    }

    void on_link_down(PeerId peer) override {
        up_.erase(peer);
        for (const auto& [protocol, receiver] : receivers_)
            if (receiver != nullptr) receiver->on_link_down(key(peer));
        std::vector<std::uint64_t> broken;
        for (const auto& [id, request] : open_)
            if (request.first == peer) broken.push_back(id);
        for (const std::uint64_t id : broken) end(id, fail(Errc::Unavailable, "the link broke"));
    }

private:
    enum class Kind : std::uint8_t { Message, Request, Response };

    class Reply final : public interfaces::Responder {
    public:
        Reply(SimulatedLinks& links, PeerId to, std::uint64_t id)
            : links_(links), to_(to), id_(id) {}

        Result<> write(Bytes&& /*chunk*/) override { return {}; }

        void on_writable(std::move_only_function<void()> /*ready*/) override {}

        void finish(Result<> outcome) override {
            Bytes answer(1);
            if (!outcome) {
                answer[0] = static_cast<std::uint8_t>(outcome.error().code) + 1;
                append(answer, as_bytes(outcome.error().context));
            }
            static_cast<void>(links_.host_.transport.send(
                to_, Channel::Control, frame(Kind::Response, {}, id_, answer)));
        }

    private:
        SimulatedLinks& links_;
        PeerId to_;
        std::uint64_t id_;
    };

    static Bytes frame(Kind kind,
                       interfaces::Protocol protocol,
                       std::uint64_t id,
                       ByteView payload) {
        Bytes bytes(10);
        bytes[0] = static_cast<std::uint8_t>(kind);
        bytes[1] = static_cast<std::uint8_t>(protocol);
        store_le(bytes.data() + 2, id);
        append(bytes, payload);
        return bytes;
    }

    types::NodeKey key(PeerId peer) const { return cluster_.key_of(peer); }

    void end(std::uint64_t id, Result<> outcome) {
        auto request = open_.extract(id);
        if (!request.empty()) request.mapped().second->on_end(std::move(outcome));
    }

    const simulon::Host& host_;
    const types::NodeKey self_;
    Cluster& cluster_;
    std::set<PeerId> up_;
    std::map<interfaces::Protocol, interfaces::MessageReceiver*> receivers_;
    std::map<interfaces::Protocol, interfaces::RequestHandler*> handlers_;
    std::map<std::uint64_t, std::pair<PeerId, std::unique_ptr<interfaces::ResponseReceiver>>> open_;
    std::uint64_t next_request_ = 0;
    std::uint64_t sent_ = 0;
};

}  // namespace draco::consensus::test
