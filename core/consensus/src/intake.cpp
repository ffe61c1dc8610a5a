#include "intake.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {

Intake::Intake(const DriverOptions& options, std::size_t own_bytes_max)
    : options_(options), own_bytes_max_(own_bytes_max) {}

void Intake::set_poke(std::move_only_function<bool()> poke) {
    poke_ = std::move(poke);
}

// One poke is under way at a time. One that the full mailbox refuses is not needed: whatever the
// conductor handles next, it takes the news first.
void Intake::tell(Lock lock) {
    if (std::exchange(poked_, true)) return;
    lock.unlock();
    static_cast<void>(poke_());
}

void Intake::poke() {
    tell(Lock(mutex_));
}

void Intake::on_message(const types::NodeKey& from, ByteView message) {
    const auto epoch = epoch_of(message);
    if (!epoch) return count_refused();
    Lock lock(mutex_);
    const auto route = std::ranges::find_if(
        routes_, [&](const auto& each) { return each->committee.epoch() == *epoch; });
    if (route == routes_.end()) {
        if (epoch->value() == running_.value() + 1) return hold_early(from, message);
        return count_refused();
    }
    const auto member = (*route)->committee.index_of(from);
    const auto desk = desks_.find(from);
    if (!member || desk == desks_.end()) return count_refused();
    auto credit = CreditShare::take(
        desk->second.credit, message.size(), options_.inbox_messages_max, options_.inbox_bytes_max);
    if (!credit) return count_refused();
    const PeerDesk to = desk->second;
    Incoming incoming{*route, *member, to_bytes(message), std::move(credit)};
    lock.unlock();
    if (!to.inbox.tell(std::move(incoming))) count_refused();
}

void Intake::hold_early(const types::NodeKey& from, ByteView message) {
    const auto known = early_bytes_.find(from);
    const std::size_t held = known == early_bytes_.end() ? 0 : known->second;
    const std::size_t cost = message.size() + kEarlyOverheadBytes;
    if (early_total_ + cost > options_.early_bytes_max ||
        held + cost > options_.early_bytes_per_peer_max ||
        (held == 0 && early_bytes_.size() >= kEarlyPeersMax))
        return count_refused();
    early_bytes_[from] = held + cost;
    early_total_ += cost;
    early_.push_back({from, to_bytes(message)});
}

void Intake::drop_early_of(const types::NodeKey& peer) {
    const auto held = early_bytes_.find(peer);
    if (held == early_bytes_.end()) return;
    early_total_ -= held->second;
    early_bytes_.erase(held);
    std::erase_if(early_, [&](const EarlyMessage& each) { return each.from == peer; });
}

std::vector<EarlyMessage> Intake::take_early() {
    const Lock lock(mutex_);
    std::vector<EarlyMessage> taken(std::make_move_iterator(early_.begin()),
                                    std::make_move_iterator(early_.end()));
    early_.clear();
    early_bytes_.clear();
    early_total_ = 0;
    return taken;
}

void Intake::on_link_up(const types::NodeKey& peer) {
    Lock lock(mutex_);
    news_.links_up.insert(peer);
    tell(std::move(lock));
}

void Intake::on_link_down(const types::NodeKey& peer) {
    const Lock lock(mutex_);
    news_.links_up.erase(peer);
    drop_early_of(peer);
}

void Intake::on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) {
    ExecutedNews executed{
        block->content.block.epoch, block->result.head, std::nullopt, block->result.next_committee};
    if (block->origin == interfaces::BlockOrigin::Followed)
        executed.followed = block->content.block;
    Lock lock(mutex_);
    if (closed_) return;
    auto& waiting = news_.executed;
    const auto is_plain = [](const ExecutedNews& each) {
        return !each.followed && !each.next_committee;
    };
    if (!waiting.empty() && is_plain(waiting.back()) && !executed.followed &&
        waiting.back().epoch == executed.epoch)
        waiting.back() = std::move(executed);
    else if (waiting.size() < kExecutedWaitingMax)
        waiting.push_back(std::move(executed));
    else
        news_.overflow = true;
    tell(std::move(lock));
}

Result<> Intake::submit(types::TransactionBytes transaction) {
    const std::size_t bytes = transaction->size();
    if (bytes < types::kTransactionBytesMin)
        return fail(Errc::InvalidArgument,
                    "a transaction of " + std::to_string(bytes) + " bytes: none has fewer than " +
                        std::to_string(types::kTransactionBytesMin));
    Lock lock(mutex_);
    if (intakes_ == Intakes::ClockAhead)
        return fail(Errc::Unavailable,
                    "this node's clock is ahead of the committee's, and its transactions wait: set "
                    "the clock, and submit to another member meanwhile");
    if (intakes_ == Intakes::NoMember)
        return fail(Errc::Unavailable,
                    "this node is no signing member of the committee now: submit to one that is");
    if (own_bytes_ + submitted_bytes_ + bytes > own_bytes_max_)
        return fail(Errc::Exhausted,
                    "this member holds " + std::to_string(own_bytes_max_) +
                        " bytes of transactions that are not executed yet: come back later");
    submitted_bytes_ += bytes;
    news_.submitted.push_back(std::move(transaction));
    tell(std::move(lock));
    return {};
}

interfaces::ConsensusStatus Intake::status() const {
    const Lock lock(mutex_);
    interfaces::ConsensusStatus status = status_;
    status.messages_refused += refused_.load(std::memory_order_relaxed);
    status.transactions_waiting_bytes += submitted_bytes_;
    return status;
}

Intake::News Intake::take_news() {
    const Lock lock(mutex_);
    poked_ = false;
    taken_bytes_ = submitted_bytes_;
    return std::exchange(news_, {});
}

void Intake::set_routes(types::Epoch running, std::vector<std::shared_ptr<const Route>> routes) {
    const Lock lock(mutex_);
    running_ = running;
    routes_ = std::move(routes);
}

void Intake::add_desk(const types::NodeKey& peer, PeerDesk desk) {
    const Lock lock(mutex_);
    desks_.insert_or_assign(peer, std::move(desk));
}

void Intake::remove_desk(const types::NodeKey& peer) {
    const Lock lock(mutex_);
    desks_.erase(peer);
}

void Intake::publish(interfaces::ConsensusStatus status, Intakes intakes, std::size_t own_bytes) {
    const Lock lock(mutex_);
    status_ = std::move(status);
    intakes_ = closed_ ? Intakes::NoMember : intakes;
    own_bytes_ = own_bytes;
    submitted_bytes_ -= std::exchange(taken_bytes_, 0);
}

void Intake::close(std::string reason, bool fork) {
    const Lock lock(mutex_);
    closed_ = true;
    intakes_ = Intakes::NoMember;
    routes_.clear();
    news_ = {};
    status_.role = interfaces::ConsensusRole::Observer;
    status_.reason = std::move(reason);
    status_.fork = status_.fork || fork;
}

}  // namespace draco::consensus
