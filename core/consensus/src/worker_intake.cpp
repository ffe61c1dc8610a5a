#include "worker_intake.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {

WorkerIntake::WorkerIntake(const WorkerOptions& options, std::size_t own_bytes_max)
    : options_(options), own_bytes_max_(own_bytes_max) {
    status_.reason = kNodeHasNotSpoken;
}

void WorkerIntake::set_poke(std::move_only_function<bool()> poke) {
    poke_ = std::move(poke);
}

// One poke is under way at a time; what the conductor handles next, it takes the news first.
void WorkerIntake::tell(Lock lock) {
    if (std::exchange(poked_, true)) return;
    lock.unlock();
    static_cast<void>(poke_());
}

void WorkerIntake::on_message(const types::NodeKey& from, ByteView message) {
    Lock lock(mutex_);
    if (closed_) return;
    if (from == options_.node.key) {
        news_.from_node.push_back(to_bytes(message));
        return tell(std::move(lock));
    }
    const auto refuse = [&] { refused_.fetch_add(1, std::memory_order_relaxed); };
    const auto epoch = epoch_of(message);
    const auto port = ports_.find(from);
    if (!epoch || port == ports_.end()) return refuse();
    const auto route = std::ranges::find_if(
        routes_, [&](const auto& each) { return each->committee.epoch() == *epoch; });
    if (route == routes_.end()) return refuse();
    const auto member = (*route)->committee.index_of(port->second.member);
    auto credit = CreditShare::take(
        port->second.credit, message.size(), options_.inbox_messages_max, options_.inbox_bytes_max);
    if (!member || !credit) return refuse();
    Incoming incoming{*route, *member, to_bytes(message), std::move(credit)};
    const affair::Address<Incoming> inbox = port->second.inbox;
    lock.unlock();
    if (!inbox.tell(std::move(incoming))) refuse();
}

void WorkerIntake::on_link_up(const types::NodeKey& /*peer*/) {}

void WorkerIntake::on_link_down(const types::NodeKey& peer) {
    if (peer != options_.node.key) return;
    Lock lock(mutex_);
    // What the link that is gone has brought is not followed by what it did not bring.
    news_.from_node.clear();
    news_.node_down = true;
    tell(std::move(lock));
}

Result<> WorkerIntake::submit(types::TransactionBytes transaction) {
    const std::size_t bytes = transaction->size();
    if (bytes < types::kTransactionBytesMin)
        return fail(Errc::InvalidArgument,
                    "a transaction of " + std::to_string(bytes) + " bytes: none has fewer than " +
                        std::to_string(types::kTransactionBytesMin));
    Lock lock(mutex_);
    if (closed_ || status_.role != interfaces::ConsensusRole::Member)
        return fail(Errc::Unavailable,
                    "this worker's node is not there, or is no member of the committee now: submit "
                    "to one that is");
    if (own_bytes_ + submitted_bytes_ + bytes > own_bytes_max_)
        return fail(Errc::Exhausted,
                    "this worker holds " + std::to_string(own_bytes_max_) +
                        " bytes of transactions that are not executed yet: come back later");
    submitted_bytes_ += bytes;
    news_.submitted.push_back(std::move(transaction));
    tell(std::move(lock));
    return {};
}

interfaces::ConsensusStatus WorkerIntake::status() const {
    const Lock lock(mutex_);
    interfaces::ConsensusStatus status = status_;
    status.messages_refused += refused_.load(std::memory_order_relaxed);
    status.transactions_waiting_bytes += submitted_bytes_;
    return status;
}

WorkerIntake::News WorkerIntake::take_news() {
    const Lock lock(mutex_);
    poked_ = false;
    taken_bytes_ = submitted_bytes_;
    return std::exchange(news_, {});
}

void WorkerIntake::set_routes(std::vector<std::shared_ptr<const Route>> routes) {
    const Lock lock(mutex_);
    routes_ = std::move(routes);
}

void WorkerIntake::set_ports(std::map<types::NodeKey, PeerPort> ports) {
    const Lock lock(mutex_);
    ports_ = std::move(ports);
}

void WorkerIntake::publish(interfaces::ConsensusStatus status, std::size_t own_bytes) {
    const Lock lock(mutex_);
    if (!closed_) status_ = std::move(status);
    own_bytes_ = own_bytes;
    submitted_bytes_ -= std::exchange(taken_bytes_, 0);
}

void WorkerIntake::close(std::string reason) {
    const Lock lock(mutex_);
    closed_ = true;
    routes_.clear();
    ports_.clear();
    news_ = {};
    status_.role = interfaces::ConsensusRole::Observer;
    status_.reason = std::move(reason);
}

}  // namespace draco::consensus
