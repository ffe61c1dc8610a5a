#include "clients.hpp"

#include "draco/bcs/bcs.hpp"

#include <utility>

namespace draco::sim {
namespace {

constexpr Duration kResendAfter = std::chrono::milliseconds(1500);

}  // namespace

Clients::Clients(simulon::World& world,
                 const NetworkScenario& scenario,
                 const Population& population,
                 const Checker& checker,
                 NodeAt node_at)
    : world_(world),
      scenario_(scenario),
      population_(population),
      checker_(checker),
      node_at_(std::move(node_at)),
      rng_(world.rng("clients")),
      pending_(population.clients.size()) {}

void Clients::start(Duration duration) {
    until_ = world_.now() + duration;
    tick();
}

bool Clients::all_executed() const {
    for (std::size_t i = 0; i < pending_.size(); ++i)
        if (pending_[i] &&
            checker_.executed_nonce(population_.clients[i].address) < pending_[i]->nonce)
            return false;
    return true;
}

// One draw a tick, so that a run with fewer answers is not a run with other randomness.
void Clients::tick() {
    const auto client = static_cast<std::size_t>(rng_.below(pending_.size()));
    std::optional<Pending>& mine = pending_[client];
    const bool is_done =
        !mine || checker_.executed_nonce(population_.clients[client].address) >= mine->nonce;
    if (is_done && world_.now() < until_) begin(client);
    for (std::size_t i = 0; i < pending_.size(); ++i)
        if (pending_[i] && world_.now() >= pending_[i]->resend_at &&
            checker_.executed_nonce(population_.clients[i].address) < pending_[i]->nonce)
            send(i);
    if (world_.now() >= until_ && all_executed()) return;
    const auto mean = static_cast<std::uint64_t>(scenario_.transfer_interval_mean.count());
    world_.at(world_.now() + Duration(rng_.between(mean / 2, mean * 3 / 2)), [this] { tick(); });
}

void Clients::begin(std::size_t client) {
    const Client& from = population_.clients[client];
    const types::Address to = population_.clients[rng_.below(population_.clients.size())].address;
    const types::Nonce nonce(checker_.executed_nonce(from.address).value() + 1);
    const std::uint64_t units = rng_.between(0, 5'000'000);  // zero reverts
    const types::Method method = rng_.chance(0.5) ? types::Method(types::TransferFlk{to, {units}})
                                                  : types::Method(types::TransferUsd{to, {units}});
    pending_[client] = {.transaction = bcs::encode(
                            types::sign(population_.genesis.chain,
                                        {from.address, nonce, types::FlkAmount::whole(1), method},
                                        from.key)),
                        .nonce = nonce,
                        .resend_at = {}};
    ++sent_;
    send(client);
}

void Clients::send(std::size_t client) {
    pending_[client]->resend_at = world_.now() + kResendAfter;
    const std::size_t nodes = population_.nodes.size();
    const auto first = static_cast<std::size_t>(rng_.below(nodes));
    for (std::size_t i = 0; i < nodes; ++i) {
        node::Node* node = node_at_((first + i) % nodes);
        if (node == nullptr) continue;
        node->forwarder().submit(pending_[client]->transaction,
                                 [](const Result<types::TransactionHash>& /*outcome*/) {});
        return;
    }
}

std::string Clients::describe() const {
    std::string text;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        const auto executed = checker_.executed_nonce(population_.clients[i].address);
        if (pending_[i] && executed < pending_[i]->nonce)
            text += " client " + std::to_string(i) + " waits for nonce " +
                    std::to_string(pending_[i]->nonce.value()) + ";";
    }
    return text;
}

}  // namespace draco::sim
