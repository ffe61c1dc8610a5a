#include "draco/pool/pool.hpp"

#include "draco/base/assert.hpp"

#include "pool_state.hpp"

namespace draco::pool {
namespace {

std::uint8_t number(interfaces::Protocol protocol) {
    return static_cast<std::uint8_t>(protocol);
}

}  // namespace

// Ids begin at random, so that what a link brings twice, from before a restart, fits no request.
Pool::Pool(interfaces::PeerTransport& transport,
           Executor& executor,
           Rng& rng,
           log::Log& log,
           const types::NodeKey& self,
           const SessionLimits& limits)
    : state_(std::make_shared<State>(transport, executor, log, self, limits, rng.next() >> 1)) {
    transport.set_receiver(state_.get());
}

Pool::~Pool() {
    state_->close();
}

const types::NodeKey& Pool::self() const {
    return state_->self();
}

Result<> Pool::send(const types::NodeKey& to,
                    interfaces::Protocol protocol,
                    Channel channel,
                    ByteView message) {
    return state_->send(to, number(protocol), channel, message);
}

void Pool::set_receiver(interfaces::Protocol protocol, interfaces::MessageReceiver* receiver) {
    state_->set_receiver(number(protocol), receiver);
}

Result<interfaces::RequestId> Pool::request(
    const types::NodeKey& to,
    interfaces::Protocol protocol,
    Bytes request,
    const interfaces::RequestOptions& options,
    std::unique_ptr<interfaces::ResponseReceiver> receiver) {
    return state_->request(to, number(protocol), request, options, std::move(receiver));
}

void Pool::grant(interfaces::RequestId request, std::size_t bytes) {
    state_->local_event(request, GrantCredit{.id = request, .bytes = bytes});
}

void Pool::cancel(interfaces::RequestId request) {
    state_->local_event(request, CancelRequest{request});
}

void Pool::set_handler(interfaces::Protocol protocol, interfaces::RequestHandler* handler) {
    state_->set_handler(number(protocol), handler);
}

void Pool::set_peers(std::vector<interfaces::PeerAddress> peers) {
    state_->set_peers(std::move(peers));
}

std::vector<types::NodeKey> Pool::connected() const {
    return state_->connected();
}

std::vector<interfaces::LinkSnapshot> Pool::snapshot() const {
    return state_->snapshot();
}

}  // namespace draco::pool
