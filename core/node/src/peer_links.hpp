#pragma once
// The links of a node without those to its own workers: what the components see that talk to other
// nodes. To them a worker is nobody: it is not connected, says nothing, and asks for nothing.

#include "draco/interfaces/links.hpp"

#include <list>
#include <mutex>
#include <set>

namespace draco::node {

class PeerLinks final : public interfaces::Links {
public:
    // `links` outlives it.
    PeerLinks(interfaces::Links& links, std::set<types::NodeKey> workers);
    ~PeerLinks() override;
    PeerLinks(const PeerLinks&) = delete;
    PeerLinks& operator=(const PeerLinks&) = delete;

    const types::NodeKey& self() const override { return links_.self(); }

    Result<> send(const types::NodeKey& to,
                  interfaces::Protocol protocol,
                  Channel channel,
                  ByteView message) override;
    void set_receiver(interfaces::Protocol protocol,
                      interfaces::MessageReceiver* receiver) override;
    Result<interfaces::RequestId> request(
        const types::NodeKey& to,
        interfaces::Protocol protocol,
        Bytes request,
        const interfaces::RequestOptions& options,
        std::unique_ptr<interfaces::ResponseReceiver> receiver) override;

    void grant(interfaces::RequestId request, std::size_t bytes) override {
        links_.grant(request, bytes);
    }

    void cancel(interfaces::RequestId request) override { links_.cancel(request); }

    void set_handler(interfaces::Protocol protocol, interfaces::RequestHandler* handler) override;

    void set_peers(std::vector<interfaces::PeerAddress> peers) override {
        links_.set_peers(std::move(peers));
    }

    std::vector<types::NodeKey> connected() const override;
    std::vector<interfaces::LinkSnapshot> snapshot() const override;

private:
    class Receiver;
    class Handler;

    bool is_worker(const types::NodeKey& key) const { return workers_.contains(key); }

    interfaces::Links& links_;
    const std::set<types::NodeKey> workers_;
    std::mutex mutex_;  // of the lists, which only grow: one for each that was ever set
    std::list<Receiver> receivers_;
    std::list<Handler> handlers_;
};

}  // namespace draco::node
