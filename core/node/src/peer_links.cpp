#include "peer_links.hpp"

#include <algorithm>
#include <utility>

namespace draco::node {
namespace {

std::unexpected<Error> is_no_peer() {
    return fail(Errc::NotFound, "this key is of a worker of this node, and no peer");
}

}  // namespace

class PeerLinks::Receiver final : public interfaces::MessageReceiver {
public:
    Receiver(const PeerLinks& links, interfaces::MessageReceiver& inner)
        : links_(links), inner_(inner) {}

    void on_message(const types::NodeKey& from, ByteView message) override {
        if (!links_.is_worker(from)) inner_.on_message(from, message);
    }

    void on_link_up(const types::NodeKey& peer) override {
        if (!links_.is_worker(peer)) inner_.on_link_up(peer);
    }

    void on_link_down(const types::NodeKey& peer) override {
        if (!links_.is_worker(peer)) inner_.on_link_down(peer);
    }

private:
    const PeerLinks& links_;
    interfaces::MessageReceiver& inner_;
};

class PeerLinks::Handler final : public interfaces::RequestHandler {
public:
    Handler(const PeerLinks& links, interfaces::RequestHandler& inner)
        : links_(links), inner_(inner) {}

    void on_request(const types::NodeKey& from,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        if (links_.is_worker(from)) return responder->finish(is_no_peer());
        inner_.on_request(from, std::move(request), std::move(responder));
    }

private:
    const PeerLinks& links_;
    interfaces::RequestHandler& inner_;
};

PeerLinks::PeerLinks(interfaces::Links& links, std::set<types::NodeKey> workers)
    : links_(links), workers_(std::move(workers)) {}

PeerLinks::~PeerLinks() = default;

Result<> PeerLinks::send(const types::NodeKey& to,
                         interfaces::Protocol protocol,
                         Channel channel,
                         ByteView message) {
    if (is_worker(to)) return is_no_peer();
    return links_.send(to, protocol, channel, message);
}

void PeerLinks::set_receiver(interfaces::Protocol protocol, interfaces::MessageReceiver* receiver) {
    interfaces::MessageReceiver* between = nullptr;
    if (receiver != nullptr) {
        const std::lock_guard lock(mutex_);
        between = &receivers_.emplace_back(*this, *receiver);
    }
    links_.set_receiver(protocol, between);
}

Result<interfaces::RequestId> PeerLinks::request(
    const types::NodeKey& to,
    interfaces::Protocol protocol,
    Bytes request,
    const interfaces::RequestOptions& options,
    std::unique_ptr<interfaces::ResponseReceiver> receiver) {
    if (is_worker(to)) return is_no_peer();
    return links_.request(to, protocol, std::move(request), options, std::move(receiver));
}

void PeerLinks::set_handler(interfaces::Protocol protocol, interfaces::RequestHandler* handler) {
    interfaces::RequestHandler* between = nullptr;
    if (handler != nullptr) {
        const std::lock_guard lock(mutex_);
        between = &handlers_.emplace_back(*this, *handler);
    }
    links_.set_handler(protocol, between);
}

std::vector<types::NodeKey> PeerLinks::connected() const {
    std::vector<types::NodeKey> keys = links_.connected();
    std::erase_if(keys, [&](const types::NodeKey& key) { return is_worker(key); });
    return keys;
}

std::vector<interfaces::LinkSnapshot> PeerLinks::snapshot() const {
    std::vector<interfaces::LinkSnapshot> links = links_.snapshot();
    std::erase_if(links, [&](const auto& link) { return is_worker(link.key); });
    return links;
}

}  // namespace draco::node
