#pragma once
// interfaces::Links over any PeerTransport: the TLS links of a node, or those of a simulation.
//
// Thread-safe. Receivers, handlers and the callbacks of streams are called one at a time, all of
// this Pool: on the thread on which the transport delivers, or in a task of the executor; never
// inside a call of the Pool. While a callback runs the transport delivers nothing more, which is
// how a slow component slows its peers down.
//
// A peer that breaks the rules of streams is counted and refused for kRefusalPause.

#include "draco/base/executor.hpp"
#include "draco/base/rng.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"
#include "draco/pool/session.hpp"

#include <memory>
#include <vector>

namespace draco::pool {

inline constexpr Duration kRefusalPause = std::chrono::seconds(30);
// Between attempts to hand the transport what it had no room for.
inline constexpr Duration kRetryDelay = std::chrono::milliseconds(5);

class Pool final : public interfaces::Links {
public:
    // `rng` is used here only. What is passed by reference outlives the Pool.
    Pool(interfaces::PeerTransport& transport,
         Executor& executor,
         Rng& rng,
         log::Log& log,
         const types::NodeKey& self,
         const SessionLimits& limits = {});
    // Waits for a callback that runs (unless it is this thread's). Receivers of open requests are
    // destroyed unheard. Responders may live on: they answer Unavailable.
    ~Pool() override;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    const types::NodeKey& self() const override;
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
    void grant(interfaces::RequestId request, std::size_t bytes) override;
    void cancel(interfaces::RequestId request) override;
    void set_handler(interfaces::Protocol protocol, interfaces::RequestHandler* handler) override;
    void set_peers(std::vector<interfaces::PeerAddress> peers) override;
    std::vector<types::NodeKey> connected() const override;
    std::vector<interfaces::LinkSnapshot> snapshot() const override;

    class State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace draco::pool
